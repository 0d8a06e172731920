"""What the webhook is told when it starts, and the digest by which replicas are compared."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from auditor.declared import Admission, AdmissionRule, Mode, Waiver
from auditor.webhook.plan import Plan
from tests.bench import SETTINGS

from .world import BENCH, ROOT

PLAN = Plan(BENCH, SETTINGS, Admission(Mode.DENY))


def test_whatever_decides_changes_the_digest() -> None:
    """A policy, a waiver, a rule: two replicas that differ in one would answer differently."""
    waived = replace(SETTINGS, waivers=(Waiver("workload/privileged_container", "*", "why"),))
    others = [
        replace(PLAN, bench=replace(BENCH, policies=BENCH.policies[1:])),
        replace(PLAN, settings=waived),
        replace(PLAN, terms=Admission(Mode.WARN)),
        replace(PLAN, terms=Admission(Mode.DENY, rules=(AdmissionRule(Mode.WARN),))),
    ]
    digests = {PLAN.digest, *(other.digest for other in others)}
    assert len(digests) == 5


def test_another_process_comes_to_the_same_digest(tmp_path: Path) -> None:
    """Also where it hashes texts differently."""
    (tmp_path / "plan").write_bytes(pickle.dumps(PLAN))
    program = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).digest)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"}
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "plan")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == PLAN.digest
