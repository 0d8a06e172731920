"""Every policy keeps the promises of its fixtures, on both engines; and the judge of that works."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli.main import cli
from auditor.errors import PolicyError
from auditor.frameworks.catalogue import catalogue
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load

from .policy_fixtures import Bundle, faults

ROOT = Path(__file__).parents[1]
OURS = load(ROOT / "policies")
IDS = [policy.id for policy in OURS[0]]


def bundle(root: Path, name: str, engine: str = "regorus") -> Bundle:
    """A policy of a checkout at `root`."""
    policies, library = OURS if root == ROOT else load(root / "policies")
    policy = next(policy for policy in policies if policy.id == name)
    program = compile_policies(engine, {policy.file: policy.module, **library})
    return Bundle(policy, program, root / "fixtures" / "policies" / name)


@pytest.mark.parametrize("engine", ["regorus", "regopy"])
@pytest.mark.parametrize("name", IDS)
def test_policy(name: str, engine: str) -> None:
    """It finds what its fixtures mark, where they mark it, and its fix writes the fixed file."""
    assert list(faults(bundle(ROOT, name, engine))) == []


def test_every_folder_of_fixtures_belongs_to_a_policy() -> None:
    """A renamed policy takes its fixtures along."""
    folders = {file.parent for file in (ROOT / "fixtures" / "policies").rglob("*.yaml")}
    names = {folder.relative_to(ROOT / "fixtures" / "policies").as_posix() for folder in folders}
    assert names == set(IDS)


def test_every_control_that_a_policy_names_is_in_its_catalogue() -> None:
    """A control that nobody knows would never be assessed, and nobody would notice."""
    known = {f"{f.id}/{control}" for f in catalogue().values() for control in f.controls}
    named = {control for policy in load(ROOT / "policies")[0] for control in policy.controls}
    assert named <= known


PRIVILEGED = "workload/privileged_container"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout whose policies and fixtures may be spoiled."""
    for folder in ("policies", "fixtures/policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def _without_a_mark(root: Path) -> None:
    file = root / "fixtures" / "policies" / PRIVILEGED / "fail-every-list.yaml"
    _replace(file, "  # finding: container 'app' runs privileged", "")


def _blind_to_sidecars(root: Path) -> None:
    library = root / "policies" / "lib" / "workload.rego"
    _replace(
        library,
        "containers := input.workload.containers",
        'containers := [c | some c in input.workload.containers; c.list == "containers"]',
    )


def _a_fix_that_changes_nothing(root: Path) -> None:
    _replace(root / "policies" / f"{PRIVILEGED}.rego", '"value": false', '"value": true')


def _another_message(root: Path) -> None:
    _replace(root / "policies" / f"{PRIVILEGED}.rego", "runs privileged", "is privileged")


def _another_place(root: Path) -> None:
    _replace(
        root / "policies" / f"{PRIVILEGED}.rego", '"path": path,\n\t\t"anchor"',
        '"path": container.path,\n\t\t"anchor"',
    )  # fmt: skip


def _no_passing_side(root: Path) -> None:
    for file in (root / "fixtures" / "policies" / PRIVILEGED).glob("pass-*"):
        file.unlink()


@pytest.mark.parametrize(
    "spoil",
    [
        _without_a_mark,
        _blind_to_sidecars,
        _a_fix_that_changes_nothing,
        _another_message,
        _another_place,
        _no_passing_side,
    ],
)
def test_what_is_spoiled_turns_red(copy: Path, spoil: Callable[[Path], None]) -> None:
    """A check that cannot fail would prove nothing."""
    assert list(faults(bundle(copy, PRIVILEGED))) == []
    spoil(copy)
    assert list(faults(bundle(copy, PRIVILEGED))) != []


@pytest.mark.parametrize(
    ("name", "file", "old", "new"),
    [
        (
            "network/monitor_beyond_health", "policies/network/monitor_beyond_health.rego",
            "admit it to the health API alone", "admit it to nothing",
        ),
        (
            "data/personal_data_not_isolated", "policies/data/personal_data_not_isolated.rego",
            "doubtful if count(exposure.missing_clients) > 0", "",
        ),
        (
            "data/personal_data_may_leave", "policies/data/personal_data_may_leave.rego",
            "reason.object != null", "true",
        ),
        (
            "data/personal_data_may_leave",
            "fixtures/policies/data/personal_data_may_leave/fail-nothing-enforces.yaml",
            "an unproven fix", "a safe fix",
        ),
        (
            "data/personal_data_may_leave",
            "fixtures/policies/data/personal_data_may_leave/fail-not-isolated.yaml",
            "an unsafe fix", "an unproven fix",
        ),
        (
            "network/policies_not_enforced",
            "fixtures/policies/network/policies_not_enforced/fail-flannel.yaml",
            "# live\n", "",
        ),
    ],
    ids=["title", "safety", "no evidence", "proof", "no proof", "live"],
)  # fmt: skip
def test_each_mark_is_looked_at(copy: Path, name: str, file: str, old: str, new: str) -> None:
    """Whatever a fixture says of a fix, of evidence or of a cluster has to be so."""
    _replace(copy / file, old, new)
    assert list(faults(bundle(copy, name))) != []


def test_mistyped_metadata_names_file_and_field(copy: Path) -> None:
    """Nothing in METADATA is passed over because it is spelled in another way."""
    _replace(copy / "policies" / f"{PRIVILEGED}.rego", "severity: high", "severty: high")
    with pytest.raises(PolicyError, match=r"privileged_container\.rego: METADATA custom\.sever"):
        bundle(copy, PRIVILEGED)


@pytest.mark.parametrize("engine", ["regorus", "regopy"])
def test_a_fifth_policy_is_one_file_and_its_fixtures(copy: Path, engine: str) -> None:
    """`auditor new` writes them, they pass at once, and nothing has to be registered."""
    before = {file for file in copy.rglob("*") if file.is_file()}
    done = CliRunner().invoke(cli, ["new", "workload/host_network", "--root", str(copy)])
    assert done.exit_code == 0, done.output
    written = {file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()}
    assert written - {file.relative_to(copy).as_posix() for file in before} == {
        "policies/workload/host_network.rego",
        "fixtures/policies/workload/host_network/fail-host-network.yaml",
        "fixtures/policies/workload/host_network/fixed-host-network.yaml",
        "fixtures/policies/workload/host_network/pass-host-network.yaml",
    }
    assert list(faults(bundle(copy, "workload/host_network", engine))) == []
