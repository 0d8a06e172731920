"""What is exported as text: YAML as people would write it, and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import yaml

from auditor.model import Manifest
from auditor.webhook.native.levels import Level
from auditor.webhook.native.manifests import Export

EXPRESSIONS = ("expression", "messageExpression")


class _Text(str):
    """A text that is written below its key, without quotes."""


class _Dumper(yaml.SafeDumper):
    """No anchors: nobody writes them into a manifest."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 its own name for it
        return True


def _block(dumper: yaml.SafeDumper, text: _Text) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")


_Dumper.add_representer(_Text, _block)


def page(manifests: Iterable[Manifest]) -> str:
    """One YAML document each."""
    return yaml.dump_all(
        map(_marked, manifests), Dumper=_Dumper, sort_keys=False, explicit_start=True, width=100
    )


def json_of(done: Export, found: Sequence[Level]) -> str:
    """The manifests, what is not among them, and what was found out about namespaces."""
    said = {
        "manifests": [*done.manifests, *(each.manifest for each in found if each.level)],
        "notExported": done.left,
        "namespaces": [
            {"namespace": each.namespace, "level": each.level, "why": each.why} for each in found
        ],
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2).decode()


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _Text(each) if key in EXPRESSIONS else _marked(each) for key, each in value.items()
        }
    return [_marked(each) for each in value] if isinstance(value, list) else value
