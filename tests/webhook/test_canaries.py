"""No credential of an object that is asked about comes out of the webhook."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.model import Severity
from auditor.policies.engine import compile_policies
from tests.canaries import Canaries
from tests.company import policy

from .conftest import Running
from .world import pod, review

QUOTING = """
package policies.test.quoting

deny contains finding if {
	some container in input.object.spec.containers
	message := sprintf("it says %v, with %v", [container, input.object.metadata])
	finding := {"path": ["spec"], "message": message, "anchor": container.name}
}
"""
"""A policy that quotes all it sees."""
ASKED = policy("test/quoting", QUOTING, severity=Severity.HIGH, kinds=("Pod",))
BENCH = Bench((ASKED,), compile_policies("regorus", {ASKED.file: ASKED.module}))


@pytest.mark.parametrize("mode", Mode)
def test_no_answer_and_no_log_shows_one(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture, mode: Mode
) -> None:
    """Not even where a policy quotes the whole object, or the object cannot be judged."""
    caplog.set_level(logging.DEBUG)
    running = start(by=BENCH, terms=Admission(mode, Severity.HIGH))
    c = Canaries()
    planted = pod(
        image=f"bot:{c('image')}@registry.example/app",
        args=["--token", c("args")],
        env=[{"name": "X", "value": c("env")}, {"name": "PASSWORD", "value": c("password")}],
    )
    planted["metadata"] |= {"annotations": {"example.com/x": c("annotation")}}
    spec = {**planted["spec"], "volumes": c("a wrong type")}
    asks: list[Any] = [
        review(planted),
        review(planted, "UPDATE", old=pod()),
        review({**planted, "metadata": c("metadata of a wrong type")}),
        review({**planted, "spec": spec}),
        review(planted)[:-30],
        review([c("an object of a wrong type")]),
    ]
    answers = [running.ask(body) for body in asks]
    said = json.loads(answers[0].body)["response"]
    assert said["allowed"] is (mode is not Mode.DENY)
    assert "it says" in json.dumps(said)
    assert c.in_(*(answer.body for answer in answers), caplog.text) == []
