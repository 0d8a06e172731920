"""All facts of one snapshot."""

from __future__ import annotations

from auditor.facts import FACTS, Facts
from auditor.model import Settings, Snapshot
from tests.bench import gaps, judged

from .network.cluster import namespace, pod, resource
from .test_data import annotated


def test_labels_of_namespaces_have_the_one_of_the_api_server() -> None:
    """Whatever else is written there, or is none."""
    odd = resource({**namespace("odd").manifest, "metadata": {"name": "odd", "labels": [1]}})
    facts = Facts(Snapshot((namespace("shop", team="web"), odd)), Settings())
    assert facts.namespace_labels == {
        "shop": {"team": "web", "kubernetes.io/metadata.name": "shop"},
        "odd": {"kubernetes.io/metadata.name": "odd"},
    }


def test_facts_with_nothing_to_say_are_left_out() -> None:
    """A policy is not asked about an object of which no fact of it speaks."""
    facts = Facts(Snapshot((pod("web"), namespace("default"))), Settings())
    for one in facts.snapshot.resources:
        assert facts.about(one, tuple(FACTS)) == {}


def test_what_means_nothing_is_told_where_a_policy_reads_it() -> None:
    """An audit that asks for no fact has no use for it."""
    one = annotated(pod("web"), data="PI")
    said = ["auditor/data of default/web[Pod]: 'PI' is none of pii, spi, none"]
    assert gaps(judged([one], "data/personal_data_not_isolated")) == said
    assert gaps(judged([one], "workload/privileged_container")) == []
