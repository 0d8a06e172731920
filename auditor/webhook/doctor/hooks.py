"""A webhook as the doctor sees it, and what is around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from auditor.facts.selectors import (
    METADATA_NAME,
    Labels,
    RefusedError,
    Truth,
    parse_selector,
)
from auditor.manifests import mapping, sequence, texts
from auditor.values import dataclass
from auditor.webhook.break_glass import parsed
from auditor.webhook.certificates import Trust
from auditor.webhook.registered import host_of, trust

Manifest = Mapping[str, Any]

MUTATING = "MutatingWebhookConfiguration"
DEFAULT_SECONDS = 10
LONGEST_SECONDS = 30


@dataclass(frozen=True)
class Hook:
    """One webhook of one configuration, with what the API server supposes where it says nothing."""

    configuration: Manifest
    webhook: Manifest

    @property
    def kind(self) -> str:
        """ValidatingWebhookConfiguration or MutatingWebhookConfiguration."""
        return str(self.configuration.get("kind"))

    @property
    def mutating(self) -> bool:
        """Whether it may change what it is asked about."""
        return self.kind == MUTATING

    @property
    def configured_in(self) -> str:
        """The name of its configuration."""
        return str(mapping(self.configuration.get("metadata")).get("name"))

    @property
    def age_minutes(self) -> float | None:
        """Since its configuration was created; None where that is not said."""
        metadata = mapping(self.configuration.get("metadata"))
        created = parsed(str(metadata.get("creationTimestamp")))
        return (datetime.now(UTC) - created) / timedelta(minutes=1) if created else None

    @property
    def name(self) -> str:
        """Its own name."""
        return str(self.webhook.get("name"))

    @property
    def key(self) -> tuple[str, str, str]:
        """No other webhook has the same."""
        return self.kind, self.configured_in, self.name

    @property
    def order(self) -> tuple[str, int]:
        """Mutating webhooks are asked in this order."""
        hooks = sequence(self.configuration.get("webhooks"))
        at = next((n for n, each in enumerate(hooks) if each is self.webhook), 0)
        return self.configured_in, at

    @property
    def fails(self) -> bool:
        """Whether requests fail when it cannot be asked."""
        return str(self.webhook.get("failurePolicy", "Fail")) != "Ignore"

    @property
    def seconds(self) -> int:
        """How long the API server waits for it."""
        said = self.webhook.get("timeoutSeconds")
        return said if isinstance(said, int) else DEFAULT_SECONDS

    @property
    def client(self) -> Manifest:
        """Whom it calls."""
        return mapping(self.webhook.get("clientConfig"))

    @property
    def service(self) -> Manifest:
        """The Service that it calls, empty where it is a URL."""
        return mapping(self.client.get("service"))

    @property
    def host(self) -> str:
        """The name that it calls."""
        return host_of(self.client)

    @cached_property
    def trust(self) -> Trust | None:
        """By what its server is known; None where that is not said here."""
        return trust(self.client)

    @property
    def rules(self) -> Iterator[Manifest]:
        """What it is asked about."""
        return (mapping(each) for each in sequence(self.webhook.get("rules")))

    @property
    def conditions(self) -> str:
        """All its matchConditions as one text."""
        conditions = (mapping(each) for each in sequence(self.webhook.get("matchConditions")))
        return "\n".join(str(each.get("expression", "")) for each in conditions)

    def asked(self, group: str, resource: str, operation: str) -> bool:
        """Whether one of its rules fits, whatever namespaces and conditions say."""
        return any(_fits(rule, group, resource, operation) for rule in self.rules)

    def selects(self, namespace: str, labels: Mapping[str, str] | None) -> Truth:
        """Whether it is asked about objects of a namespace; `labels` is None where they are not
        known, but for its name.
        """
        known = {METADATA_NAME: namespace, **(labels or {})}
        try:
            selector = parse_selector(self.webhook.get("namespaceSelector"), ())
        except RefusedError:
            return Truth.NO
        return selector.truth(Labels(known, open=labels is None))


def _fits(rule: Manifest, group: str, resource: str, operation: str) -> bool:
    groups, resources, operations = (
        {str(each) for each in sequence(rule.get(key))}
        for key in ("apiGroups", "resources", "operations")
    )
    main, slash, below = resource.partition("/")
    patterns = {resource, f"{main}/*", f"*/{below}", "*/*"} if slash else {main, "*", "*/*"}
    return bool({group, "*"} & groups and {operation, "*"} & operations and patterns & resources)


@dataclass(frozen=True)
class Around:
    """What else is known. Where something is None, it could not be looked at."""

    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by namespace."""
    services: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    ready: Mapping[tuple[str, str], int] | None = None
    """How many ready endpoints a Service has; those of no Service are left out."""
    coming: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """And how many that are not."""
    whole: bool = False
    """Whether every namespace and every Service is known: whatever is not there does not exist."""
    served: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    """Why the certificate of a webhook's server is not believed, empty where it is, by the key of
    the webhook; of those whose server was called.
    """


def hooks_of(configurations: Iterable[Manifest]) -> list[Hook]:
    """Every webhook of these."""
    return [
        Hook(each, mapping(webhook))
        for each in configurations
        for webhook in sequence(each.get("webhooks"))
        if mapping(webhook)
    ]


def labels_of(manifest: Manifest) -> Mapping[str, str]:
    """The labels of an object."""
    return texts(mapping(manifest.get("metadata")).get("labels"))
