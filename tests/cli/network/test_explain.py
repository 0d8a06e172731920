"""`auditor network explain`: the verdict in one line, then what decides, with the lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import PEAPODS, Command, Said

from .world import POLICY, SHOP, written


def explained(auditor: Command, folder: Path, source: str, target: str, *more: str) -> Said:
    """What the command says of one connection."""
    return auditor("network", "explain", folder, "--from", source, "--to", target, *more)


def test_the_chain_of_reasons(auditor: Command, folder: Path) -> None:
    """The Service's port, the pod's, the rule with its lines, and that nothing holds the source."""
    written(folder, SHOP, POLICY)
    said = explained(auditor, folder, "shop/web", "shop/api:web")
    file = folder / "0.yaml"
    assert said.code == 0
    assert said.out == (
        "allowed: shop/web → shop/customers, TCP 8080\n"
        "1. port 80 (web) of Service shop/api leads to TCP 8080 of shop/customers\n"
        f"  --> {file}:76\n"
        "   |\n"
        "76 |     - name: web\n"
        "   |             ^^^\n"
        "77 |       port: 80\n"
        "   |             ^^\n"
        "78 |       targetPort: http\n"
        "   |                   ^^^^\n"
        "2. NetworkPolicy shop/customers admits it on TCP 8080\n"
        f"  --> {folder / '1.yaml'}:11\n"
        "   |\n"
        "14 |               app: web\n"
        "   |                    ^^^\n"
        " …\n"
        "16 |         - port: 8080\n"
        "   |                 ^^^^\n"
        "3. no NetworkPolicy isolates shop/web on its way out\n"
    )


@pytest.mark.parametrize(
    ("source", "target", "head"),
    [
        ("shop/web", "shop/customers:8080", "allowed: shop/web → shop/customers, TCP 8080"),
        ("shop/web", "shop/customers:http", "allowed: shop/web → shop/customers, TCP 8080"),
        ("shop/web", "shop/api:80", "allowed: shop/web → shop/customers, TCP 8080"),
        ("shop/web", "shop/customers:80", "denied: shop/web → shop/customers, TCP 80"),
        ("web", "customers", "allowed: shop/web → shop/customers, on TCP 8080"),
        ("shop/cron", "shop/customers", "denied: shop/cron → shop/customers, on every port"),
        ("shop/cron[Pod]", "shop/web:53/UDP", "allowed: shop/cron → shop/web, UDP 53"),
        ("shop/*", "shop/customers:8080", "denied: any other pod of shop → shop/customers, TCP"),
        ("*", "shop/web:80", "allowed: any pod of a new namespace → shop/web, TCP 80"),
        ("10.0.0.9", "shop/customers:8080", "denied: 10.0.0.9 → shop/customers, TCP 8080"),
        ("internet", "shop/customers:8080", "denied: the internet → shop/customers, TCP 8080"),
        ("shop/web", "internet:443", "allowed: shop/web → the internet, TCP 443"),
        ("shop/web", "2001:db8::1", "allowed: shop/web → 2001:db8::1, on every port"),
        ("shop/web", "[2001:db8::1]:443", "allowed: shop/web → 2001:db8::1, TCP 443"),
        ("shop/cron", "shop/cron", "allowed: shop/cron → shop/cron, on every port"),
    ],
)
def test_the_verdict_is_the_first_line(
    auditor: Command, folder: Path, source: str, target: str, head: str
) -> None:
    """Whoever is named, in whatever way."""
    written(folder, SHOP, POLICY)
    said = explained(auditor, folder, source, target)
    assert said.code == 0
    assert said.out.splitlines()[0].startswith(head)


@pytest.mark.parametrize(
    ("source", "target", "hint"),
    [
        ("shop/wbe", "shop/web", "did you mean 'shop/web'?"),
        ("other/web", "shop/web", "did you mean 'shop/web'?"),
        ("shop/web", "shop/aip", "did you mean 'shop/api'?"),
        ("shop/web", "shop/web:nope", "it has http"),
        ("shop/web", "shop/cron:nope", "it declares none"),
        ("shop/web", "shop/api:81", "80 (web)"),
        ("shop/web", "shop/web:99999", "not between 1 and 65535"),
        ("shop/web", "shop/web:80/XYZ", "none of TCP, UDP, SCTP"),
        ("shop/web", "internet:http", "give its number"),
    ],
)
def test_what_is_not_there_is_asked_back(
    auditor: Command, folder: Path, source: str, target: str, hint: str
) -> None:
    """With what there is."""
    written(folder, SHOP)
    said = explained(auditor, folder, source, target)
    assert said.code == 2
    assert hint in said.err


def test_another_port_that_is_open_is_told(auditor: Command, folder: Path) -> None:
    """A rule is named that admits the source: on which port it does is what matters."""
    written(folder, SHOP, POLICY)
    note = "what is open between them: TCP 8080"
    assert note in explained(auditor, folder, "shop/web", "shop/customers:80").out
    assert note not in explained(auditor, folder, "shop/web", "shop/customers:8080").out
    assert "what is open" not in explained(auditor, folder, "shop/cron", "shop/customers:80").out


def test_the_internet_is_said_to_be_led_there_or_not(auditor: Command) -> None:
    """Policies alone do not open a way in."""
    open_ = explained(auditor, PEAPODS, "internet", "shop/web:http")
    assert "the internet is led there through Ingress shop/web" in open_.out
    shut = explained(auditor, PEAPODS, "internet", "customers/customers:http")
    assert shut.out.startswith("allowed: the internet → customers/customers")
    assert "no object that was read leads the internet there" in shut.out


def test_json_has_the_same(auditor: Command, folder: Path) -> None:
    """Steps and reasons with their places."""
    written(folder, SHOP, POLICY)
    said = explained(auditor, folder, "shop/web", "shop/api:web", "--format", "json")
    [one] = said.report["connections"]
    assert one["verdict"] == "allowed"
    assert one["steps"][0]["line"] == 76
    assert one["reasons"][0]["policy"]["name"] == "customers"


def test_http_can_be_asked_about(auditor: Command, folder: Path) -> None:
    """Method, path, host and headers are part of what is asked."""
    written(folder, SHOP)
    more = ("--method", "GET", "--path", "/healthz", "--header", "x-a: b")
    said = explained(auditor, folder, "shop/cron", "shop/web:http", *more)
    assert said.out.startswith("allowed: shop/cron → shop/web, TCP 8080 GET /healthz\n")
    bad = explained(auditor, folder, "shop/cron", "shop/web:http", "--header", "nothing")
    assert bad.code == 2


def test_no_credential_is_shown(auditor: Command, folder: Path) -> None:
    """Also where a name or a label looks like one."""
    secret = "ghp_" + "a1B2" * 9
    text = POLICY.replace("app: web", f"token: {secret}")
    written(folder, SHOP.replace("app: web", f"token: {secret}"), text)
    said = explained(auditor, folder, "shop/web", "shop/customers:8080")
    assert said.out.startswith("allowed")
    assert secret not in said.out
