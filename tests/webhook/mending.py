"""Benches for mutation: the real policies, with what few of them are graded for made up for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from auditor.audit import Bench
from auditor.declared import Admission, Mutating
from auditor.model import Severity, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.webhook.court import Court
from auditor.webhook.mutate import Mutation, mutation
from auditor.webhook.review import decode
from tests.bench import SETTINGS
from tests.company import policy

from .json_patch import apply
from .world import live, review

UNSAFE, SAFE = '"safety": "unsafe"', '"safety": "safe"'


@cache
def daring(*names: str) -> Bench:
    """The real policies, each fix that may change behaviour called safe: what they add is then
    what there is to be added.
    """
    policies, library = load()
    asked = tuple(each for each in policies if not names or each.id in names)
    modules = {each.file: each.module for each in asked} | dict(library)
    daring = {file: module.replace(UNSAFE, SAFE) for file, module in modules.items()}
    return Bench(asked, compile_policies("regorus", daring))


@cache
def of_rules(*rules: str, kinds: tuple[str, ...] = ("Pod", "Deployment")) -> Bench:
    """Policies of a user's own, named test/p0, test/p1 …"""
    asked = tuple(
        policy(f"test/p{index}", rule, severity=Severity.LOW, kinds=kinds, fix="deterministic")
        for index, rule in enumerate(rules)
    )
    return Bench(asked, compile_policies("regorus", {each.file: each.module for each in asked}))


def wanting(index: int, path: list[Any], value: str, unless: str) -> str:
    """A policy that is content only with `unless`, and whose safe fix adds `value` at `path`."""
    return f"""
package policies.test.p{index}

deny contains finding if {{
	not {unless}
	finding := {{
		"path": ["metadata"], "message": "lacks it",
		"fix": {{"title": "add it", "safety": "safe", "patch": [
			{{"op": "add", "path": {path!r}, "value": {value}}}
		]}},
	}}
}}
""".replace("'", '"')


ANY = Mutating()
NOTHING = live()


def mutated(
    *args: Any,
    by: Bench,
    cluster: Snapshot = NOTHING,
    terms: Mutating | None = ANY,
    **kwargs: Any,
) -> Mutation:
    """What the webhook adds to the object of a review."""
    return mutation(
        decode(review(*args, **kwargs)), cluster, Court(by, SETTINGS), Admission(mutate=terms)
    )


def completed(manifest: Mapping[str, Any], *, by: Bench, **kwargs: Any) -> Any:
    """The object as the API server takes it up after the webhook was asked."""
    return apply(manifest, mutated(manifest, by=by, **kwargs).patch)
