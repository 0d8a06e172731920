"""Label selectors mean what kubectl makes of them. A real API server is asked in tests/e2e."""

from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.scope.labels import parse

ACCEPTED = {
    # Selector → labels that it fits, labels that it does not fit.
    "app": ({"app": ""}, {}),
    "!app": ({}, {"app": "web"}),
    "! app": ({}, {"app": "web"}),
    "app=web": ({"app": "web"}, {"app": "api"}),
    "app==web": ({"app": "web"}, {}),
    "app!=web": ({}, {"app": "web"}),
    "app=": ({"app": ""}, {"app": "web"}),
    "app in (web, api)": ({"app": "api"}, {"app": "db"}),
    "app in(web,api)": ({"app": "web"}, {}),
    "app in (web,)": ({"app": ""}, {"app": "api"}),
    "app notin (web,api)": ({}, {"app": "api"}),
    "app in ()": ({"app": ""}, {"app": "web"}),
    "app notin ()": ({}, {"app": ""}),
    "in in (in)": ({"in": "in"}, {"in": "out"}),
    "notin": ({"notin": "x"}, {}),
    "app=web,tier!=front": ({"app": "web"}, {"app": "web", "tier": "front"}),
    " app = web , !old ": ({"app": "web"}, {"app": "web", "old": ""}),
    "example.com/team=a": ({"example.com/team": "a"}, {"team": "a"}),
    "replicas>2": ({"replicas": "3"}, {"replicas": "2"}),
    "replicas<2": ({"replicas": "1"}, {"replicas": "many"}),
    "": ({}, None),
}

REFUSED = (
    "app web",
    "app=web api",
    "=web",
    ",app",
    "app,",
    "app,,tier",
    "!",
    "!!app",
    "app in",
    "app in web",
    "app in (web",
    "app (web)",
    "app=a b",
    "-app",
    "app=web!",
    "app=-web",
    "a/b/c=d",
    "replicas>many",
    "replicas>",
    "!app=web",
)


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_selector_selects_as_kubectl_does(text: str) -> None:
    """A label that is absent meets != and notin, and nothing else."""
    fitting, other = ACCEPTED[text]
    assert fitting is not None
    assert parse(text).fits(fitting)
    assert other is None or not parse(text).fits(other)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_selector_is_an_error_that_quotes_it(text: str) -> None:
    """A mistyped selector must not select everything, or nothing."""
    with pytest.raises(UsageError, match="the label selector"):
        parse(text)
