"""The catalogue names who tells each fact; nothing but these tests checks the names."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from auditor.facts.catalogue import FACTS, teller
from auditor.facts.kinds import CLUSTER_WIDE
from auditor.facts.network.cluster_policies import DIALECTS
from auditor.facts.workloads import WORKLOAD_KINDS


@pytest.mark.parametrize("name", FACTS)
def test_who_tells_a_fact_is_there_and_takes_whom_it_is_asked_about(name: str) -> None:
    """A fact of workloads is given the workload, any other the object."""
    fact = FACTS[name]
    given = list(inspect.signature(teller(fact.told_by)).parameters.values())
    subject = "Workload" if fact.kinds == WORKLOAD_KINDS else "Resource"
    assert [one.annotation for one in given] == ["Facts", subject]


def test_the_cluster_wide_policies_are_those_that_are_read() -> None:
    """A dialect that is read and not named here would be needed by no fact."""
    assert tuple(DIALECTS) == CLUSTER_WIDE


def test_who_tells_a_fact_is_loaded_when_it_is_asked_for() -> None:
    """The scheduler is of no use to whoever asks no policy about distances."""
    code = "import sys, auditor.audit; print('auditor.facts.placement' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
