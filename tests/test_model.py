"""The vocabulary keeps its word: what replaces what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Resource, Snapshot

from .facts.network.cluster import pod


def test_a_replaced_object_takes_the_place_of_all_its_namesakes() -> None:
    """Whoever reads the last one written must not be given an old one back."""
    first, second, other = pod("shop/web"), pod("shop/web", hostPID=True), pod("shop/other")
    new = pod("shop/web", hostIPC=True)
    after = Snapshot((first, other, second)).replacing(new)
    assert after.resources == (new, other)
    assert after.find(new.ref) is new
    assert Snapshot((first, other, second)).replacing(removing=[new.ref]).resources == (other,)


NAMES = st.sampled_from(["shop/a", "shop/b", "shop/c"])
PODS = st.lists(st.builds(pod, NAMES, hostPID=st.booleans()), max_size=5)


@given(PODS, PODS, st.sets(NAMES, max_size=2))
def test_what_was_put_in_place_is_what_is_found(
    there: list[Resource], changed: list[Resource], gone: set[str]
) -> None:
    """Once, whatever was written how often before; and nothing else is touched."""
    removing = [pod(name).ref for name in gone]
    before = Snapshot(tuple(there))
    after = before.replacing(*changed, removing=removing)
    touched = {ref.key for ref in removing} | {each.ref.key for each in changed}
    for each in changed:
        wanted = None if each.ref in removing else [c for c in changed if c.ref == each.ref][-1]
        assert after.find(each.ref) is wanted
    assert not touched & after.repeated
    kept = [each for each in after.resources if each.ref.key not in touched]
    assert kept == [each for each in there if each.ref.key not in touched]
