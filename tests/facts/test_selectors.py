"""Label selectors."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.network import matches
from auditor.facts.selectors import (
    Hidden,
    Labels,
    RefusedError,
    Requirement,
    Truth,
    parse_selector,
)


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A selector with one expression."""
    one = {"key": key, "operator": operator, "values": list(values)}
    return {"matchExpressions": [one]}


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ({}, {}, True),
        ({}, {"app": "web"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "web", "tier": "x"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "Web"}, False),
        ({"matchLabels": {"app": "web"}}, {}, False),
        ({"matchLabels": {"app": "web", "tier": "x"}}, {"app": "web"}, False),
        (expression("app", "In", "web", "api"), {"app": "api"}, True),
        (expression("app", "In", "web", "api"), {}, False),
        (expression("app", "NotIn", "web"), {"app": "api"}, True),
        (expression("app", "NotIn", "web"), {"app": "web"}, False),
        (expression("app", "NotIn", "web"), {}, True),
        (expression("app", "Exists"), {"app": ""}, True),
        (expression("app", "Exists"), {}, False),
        (expression("app", "DoesNotExist"), {}, True),
        (expression("app", "DoesNotExist"), {"app": ""}, False),
        ({"matchLabels": {"app": ""}}, {}, False),
        ({"matchLabels": {"app": ""}}, {"app": ""}, True),
        ({"matchLabels": {"app": "a"}, **expression("b", "Exists")}, {"app": "a"}, False),
        ({"matchLabels": None, "matchExpressions": None}, {}, True),
        ({"matchlabels": {"app": "web"}}, {}, True),
    ],
)
def test_matching(selector: dict[str, Any], labels: dict[str, str], expected: bool) -> None:
    """Operators mean what apimachinery makes of them: an absent key meets NotIn."""
    assert matches(selector, labels) is expected


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ("app=web", ()),
        ([], ()),
        ({"matchLabels": ["app"]}, ("matchLabels",)),
        ({"matchLabels": {"app": 1}}, ("matchLabels", "app")),
        ({"matchLabels": {"app": True}}, ("matchLabels", "app")),
        ({"matchLabels": {"a b": "c"}}, ("matchLabels", "a b")),
        ({"matchLabels": {"app": "a b"}}, ("matchLabels", "app")),
        ({"matchLabels": {"app": "x" * 64}}, ("matchLabels", "app")),
        ({"matchLabels": {"/app": "x"}}, ("matchLabels", "/app")),
        ({"matchLabels": {"Example.com/app": "x"}}, ("matchLabels", "Example.com/app")),
        ({"matchLabels": {"app\n": "x"}}, ("matchLabels", "app\n")),
        ({"matchExpressions": {}}, ("matchExpressions",)),
        ({"matchExpressions": [None]}, ("matchExpressions", 0)),
        (expression("app", "Equals", "web"), ("matchExpressions", 0, "operator")),
        (expression("app", "in", "web"), ("matchExpressions", 0, "operator")),
        (expression("app", "In"), ("matchExpressions", 0, "values")),
        (expression("app", "NotIn"), ("matchExpressions", 0, "values")),
        (expression("app", "Exists", "web"), ("matchExpressions", 0, "values")),
        (expression("app", "DoesNotExist", "web"), ("matchExpressions", 0, "values")),
        (expression("app", "In", "a b"), ("matchExpressions", 0, "values", 0)),
        (expression("", "Exists"), ("matchExpressions", 0, "key")),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]},
            ("matchExpressions", 0, "values"),
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": ["In"], "values": ["b"]}]},
            ("matchExpressions", 0, "operator"),
        ),
    ],
)
def test_what_the_api_server_refuses(selector: Any, path: tuple[str | int, ...]) -> None:
    """An invalid selector names the field at fault, and matches nothing."""
    with pytest.raises(RefusedError) as refused:
        parse_selector(selector, ())
    assert refused.value.path == path
    assert not matches(selector, {"app": "web"})


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("In", ("web-0",), Truth.MAYBE),
        ("In", ("api-0", "web-1"), Truth.MAYBE),
        ("In", ("api-0",), Truth.NO),
        ("NotIn", ("web-0",), Truth.MAYBE),
        ("NotIn", ("api-0",), Truth.YES),
        ("Exists", (), Truth.YES),
        ("DoesNotExist", (), Truth.NO),
    ],
)
def test_a_label_of_which_only_the_beginning_is_known(
    operator: str, values: tuple[str, ...], expected: Truth
) -> None:
    """What a controller will write is judged by how it surely begins."""
    labels = Labels({}, {"name": Hidden("web-")})
    assert Requirement("name", operator, frozenset(values)).truth(labels) is expected


def test_a_hidden_label_counts_before_a_written_one() -> None:
    """A controller overwrites what the template says."""
    labels = Labels({"hash": "abc"}, {"hash": Hidden()})
    assert Requirement("hash", "In", frozenset({"abc"})).truth(labels) is Truth.MAYBE


def test_open_labels_leave_other_keys_undecided() -> None:
    """Where there may be further labels, only what is known can be judged."""
    labels = Labels({"a": "1"}, open=True)
    selector = parse_selector({"matchLabels": {"a": "1", "b": "2"}}, ())
    assert selector.truth(labels) is Truth.MAYBE
    assert selector.undecided(labels) == ("b",)
    assert parse_selector({"matchLabels": {"a": "2", "b": "2"}}, ()).truth(labels) is Truth.NO
