"""Reviews of an object with a fault, whatever else is in it; and who judges them, right here."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson

from auditor.declared import Admission, Mode
from auditor.sources.watch.feed import Feed
from auditor.webhook.evaluator import Evaluator
from auditor.webhook.live import News
from auditor.webhook.plan import Plan
from auditor.webhook.review import MAX_BYTES
from tests.bench import SETTINGS, bench

from .world import SERVER, privileged, request

PRIVILEGED = "workload/privileged_container"
NOISY = ("labels", "annotations", "ownerReferences", "finalizers", "generateName")
"""Of metadata: what an attacker may fill with anything."""
PARTS = ("volumes", "securityContext", "affinity", "tolerations", "hostAliases", "nodeName")


class Judge:
    """The evaluator of an empty cluster."""

    def __init__(self) -> None:
        plan = Plan(bench(PRIVILEGED), SETTINGS, Admission(Mode.DENY))
        self._evaluator = Evaluator(plan)
        self._evaluator.apply(News(Feed(0, True, (), (), (), SERVER)))

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of what is said of a review."""
        head, said = self._evaluator.answer(body, self._evaluator.judged)
        return orjson.loads(head)["status"], said


@cache
def evaluator() -> Judge:
    """One for all."""
    return Judge()


def with_fault(noise: Any) -> bytes:
    """A review of a privileged pod with this noise in every corner that takes any."""
    manifest = privileged()
    manifest["metadata"] |= dict.fromkeys(NOISY, noise)
    manifest["spec"] |= dict.fromkeys(PARTS, noise)
    first = {"name": "first", "image": "i:1", "env": noise, "ports": noise, "resources": noise}
    manifest["spec"]["containers"].insert(0, first)
    manifest["status"] = noise
    asked = request(manifest) | {"options": noise, "extra": noise}
    envelope = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": asked}
    try:
        body = orjson.dumps(envelope)
    except (TypeError, orjson.JSONEncodeError):  # nothing that JSON can carry
        return with_fault(None)
    return body if len(body) <= MAX_BYTES else with_fault(None)
