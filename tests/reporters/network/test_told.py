"""The words that all forms share."""

from __future__ import annotations

from auditor.facts.connections import INTERNET, End, Link
from auditor.facts.network import PortSet
from auditor.reporters.network.told import Folder, fit, markdown, ports

SHOP = tuple(End(f"shop/{name}", "workload", "shop") for name in ("cart", "orders", "web"))
DATA = tuple(End(f"data/{name}", "workload", "data") for name in ("db", "etl"))
ANY = (
    End("any other pod of shop", "anyone", "shop"),
    End("any pod of a new namespace", "anyone"),
)
FOLDER = Folder.of((*SHOP, *DATA, *ANY, INTERNET))


def test_everything_is_one_word() -> None:
    """And what is missing is said where that is shorter."""
    everything = (*SHOP, *DATA, *ANY, INTERNET)
    assert FOLDER.said(everything) == "everything"
    assert FOLDER.said(everything[1:]) == "everything but shop/cart"


def test_a_whole_namespace_is_one_name() -> None:
    """With how many it is."""
    assert FOLDER.said((*SHOP, DATA[0])) == "data/db, shop/* (3)"


def test_other_pods_are_one_name_where_all_are_meant() -> None:
    """Else each is named."""
    assert FOLDER.said((SHOP[0], *ANY)) == "shop/cart, any other pod"
    assert FOLDER.said((SHOP[0], ANY[0])) == "shop/cart, any other pod of shop"


def test_many_names_are_counted() -> None:
    """No line of a thousand names."""
    many = tuple(End(f"n{n}/a", "workload", f"n{n}") for n in range(50))
    folder = Folder.of((*many, *SHOP, *DATA, *ANY))
    assert folder.said(many[:30], most=3) == "n0/a, n1/a, n10/a, and 27 more"


def test_part_of_the_internet_is_said_to_be_one() -> None:
    """A rule for some addresses opens nothing to the others."""
    some = PortSet.of("TCP", 80)
    assert ports(Link(some, some, partly=True)) == "TCP 80 (some addresses alone)"


def test_text_of_others_is_harmless() -> None:
    """On a screen, and in Markdown."""
    assert fit("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert fit("token=ghp_" + "a1B2" * 9) != "token=ghp_" + "a1B2" * 9
    assert markdown("<b>|[x](y)@me") == "&#60;b&#62;&#124;&#91;x&#93;&#40;y&#41;&#64;me"
