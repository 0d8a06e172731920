"""Which endpoints of the API are judged. Requests are read by this table, and it tells the API
server what to ask about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from auditor.facts.custom import OPENINGS
from auditor.sources.kinds import ADMISSION, KINDS
from auditor.terms import Opening
from auditor.values import dataclass


class Form(Enum):
    """What a request to an endpoint carries."""

    OBJECT = "the object as it would be"
    SCALE = "a Scale: how many pods the parent would have"
    BINDING = "a Binding: the node that the pod would run on"
    EVICTION = "an Eviction: the pod would be deleted"
    CONNECTION = "options of a connection: nothing would change"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint."""

    group: str
    resource: str
    """The plural; ``*`` for all of the group."""
    form: Form = Form.OBJECT
    subresource: str = ""
    operations: tuple[str, ...] = ("CREATE", "UPDATE", "DELETE")

    @property
    def path(self) -> str:
        """As a rule names it: ``deployments/scale``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def _sub(group: str, path: str, operation: str, form: Form = Form.OBJECT) -> Endpoint:
    resource, _, subresource = path.partition("/")
    return Endpoint(group, resource, form, subresource, (operation,))


SUBRESOURCES = (
    _sub("", "pods/ephemeralcontainers", "UPDATE"),
    _sub("", "pods/resize", "UPDATE"),
    _sub("", "pods/binding", "CREATE", Form.BINDING),
    _sub("", "bindings", "CREATE", Form.BINDING),
    _sub("", "pods/eviction", "CREATE", Form.EVICTION),
    _sub("", "pods/exec", "CONNECT", Form.CONNECTION),
    _sub("", "pods/attach", "CONNECT", Form.CONNECTION),
    _sub("", "pods/portforward", "CONNECT", Form.CONNECTION),
    _sub("", "pods/proxy", "CONNECT", Form.CONNECTION),
    _sub("", "services/proxy", "CONNECT", Form.CONNECTION),
    _sub("", "replicationcontrollers/scale", "UPDATE", Form.SCALE),
    _sub("apps", "deployments/scale", "UPDATE", Form.SCALE),
    _sub("apps", "replicasets/scale", "UPDATE", Form.SCALE),
    _sub("apps", "statefulsets/scale", "UPDATE", Form.SCALE),
    _sub("argoproj.io", "rollouts/scale", "UPDATE", Form.SCALE),
)
"""Beside the objects themselves. Status is none of them: what the user wants is not in it; nor is
``serviceaccounts/token``, by which nothing in the cluster changes."""


def endpoints(openings: Iterable[Opening] = ()) -> Iterator[Endpoint]:
    """Every endpoint that is judged, with those of the custom kinds that make pods: the known ones,
    and what is declared. None of the configurations of webhooks, about which the API server asks no
    webhook.
    """
    yield from (Endpoint(kind.group, kind.plural) for kind in KINDS if kind not in ADMISSION)
    yield from SUBRESOURCES
    # Nothing declares how the plural of a kind is written. These are regular.
    yield from (Endpoint(one.group, f"{one.kind.lower()}s") for one in OPENINGS)
    yield from dict.fromkeys(Endpoint(one.group, "*") for one in openings)


FORMS = {(one.group, one.resource, one.subresource): one.form for one in endpoints()}
"""What a request to an endpoint carries, by group, resource and subresource."""
