"""Runs the installed command as a user does, and reads what it prints."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli import command

ROOT = Path(__file__).parents[2]
CLUSTERS = ROOT / "fixtures" / "clusters"
PEAPODS = CLUSTERS / "peapods"
FIXED = CLUSTERS / "peapods-fixed"
NAMESPACES = ("shop", "customers", "diets", "monitoring")
"""Those of the example company; a borrowed cluster has others besides."""

PRIVILEGED = "workload/privileged_container"
EXPOSED = "data/personal_data_not_isolated"
OVERREACH = "network/monitor_beyond_health"
FAR = "placement/far_from_database"
POLICIES = (PRIVILEGED, EXPOSED, OVERREACH, FAR)
"""What was done wrong in the example company, by hand."""

ASKED = tuple(word for policy in POLICIES for word in ("--select", policy))
"""The policies that are known here: an added one is no reason for these tests to change."""


AS_SPECIFIED = ("--cni", "spec")


class Said(command.Said):
    """What one run of the installed command printed, and how it ended."""

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of the report in the namespaces of the example company."""
        found: list[dict[str, Any]] = self.report["findings"]
        return [each for each in found if each["object"]["namespace"] in NAMESPACES]

    @property
    def verdicts(self) -> dict[str, tuple[str, str, str]]:
        """Fingerprint → policy, object and message of every finding of the `POLICIES`. What others
        say depends on where the scheduler happened to put pods.
        """
        return {
            each["fingerprint"]: (each["policy"], name_of(each["object"]), each["message"])
            for each in self.findings
            if each["policy"] in POLICIES
        }


def name_of(ref: dict[str, str]) -> str:
    """``shop/web[Deployment]``."""
    return f"{ref['namespace']}/{ref['name']}[{ref['kind']}]"


def program() -> str:
    """The command beside this Python."""
    return str(Path(sys.executable).with_name("auditor"))


def auditor(*arguments: str | Path, cwd: Path = ROOT) -> Said:
    """Run the command, without a terminal and without anybody's kubeconfig."""
    hidden = {"KUBECONFIG", "FORCE_COLOR"}
    done = subprocess.run(
        [program(), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        timeout=300,
        env={key: value for key, value in os.environ.items() if key not in hidden},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def audit(*arguments: str | Path) -> Said:
    """`auditor audit … --format json`."""
    return auditor("audit", *arguments, "--format", "json")


def audit_live(kubeconfig: Path, *arguments: str) -> Said:
    """`auditor audit --cluster …` with these credentials. No network plugin runs in a test cluster:
    what enforces policies is said, as it is supposed for files.
    """
    return audit_as_found(kubeconfig, *AS_SPECIFIED, *arguments)


def audit_as_found(kubeconfig: Path, *arguments: str) -> Said:
    """The same, where what enforces network policies is looked for."""
    return audit("--cluster", "--kubeconfig", kubeconfig, *arguments)
