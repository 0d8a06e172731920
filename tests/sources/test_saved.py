"""A saved snapshot is what was read, or an error: never a part of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from auditor import reporters
from auditor.errors import SnapshotError, WriteError
from auditor.model import Gap, Reading, Server, Snapshot, Unseen
from auditor.sources import saved
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS
from tests.cli.command import Command

_BY_KIND = {kind.kind: kind for kind in reversed(KINDS)}
POD = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "registry.example/app:1.0.0",
                "env": [{"name": "DB_PASSWORD", "value": "hunter2"}],
                "securityContext": {"privileged": True},
            }
        ]
    },
    "status": {"phase": "Running", "big": 2**63, "small": 0.5, "none": None},
}


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def snapshot() -> Snapshot:
    """A cluster of three objects, of which one list could not be read."""
    resources = (
        live_resource(_BY_KIND["Pod"], POD),
        live_resource(_BY_KIND["Node"], {"metadata": {"name": "n1"}}),
        live_resource(_BY_KIND["ConfigMap"], {"metadata": {"name": "\u2028", "namespace": "shop"}}),
    )
    gap = Gap("list of services", "forbidden: no", Unseen.INCOMPLETE, ("Service",))
    reading = Reading("2026-03-01T10:00:00Z", 3, 24, 12345)
    server = Server(134, frozenset(("Pod", "Node", "ConfigMap", "Service")), reading)
    return Snapshot(resources, (gap,), server)


def test_what_is_saved_is_read_again(snapshot: Snapshot, tmp_path: Path) -> None:
    """Every object, every gap, the server and what it took; and each line of each object."""
    file = tmp_path / "cluster.snapshot"
    saved.save(snapshot, file)
    again = saved.load(file)
    assert again.gaps == snapshot.gaps
    assert again.server == snapshot.server
    assert [r.manifest for r in again.resources] == [r.manifest for r in snapshot.resources]
    assert [r.ref for r in again.resources] == [r.ref for r in snapshot.resources]
    assert [r.origin.uri for r in again.resources] == [r.origin.uri for r in snapshot.resources]
    path = ("spec", "containers", 0, "securityContext", "privileged")
    assert again.resources[0].origin.span(path) == snapshot.resources[0].origin.span(path)
    assert all(resource.origin.live for resource in again.resources)


def test_one_of_an_older_version_says_not_what_its_gaps_are_about(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    """It is read all the same."""
    saved.save(snapshot, tmp_path / "new")
    header, rest = gzip.decompress((tmp_path / "new").read_bytes()).split(b"\n", 1)
    told = json.loads(header)
    [gap] = told["gaps"]
    del gap["about"], gap["policy"]
    (tmp_path / "old").write_bytes(json.dumps(told, separators=(",", ":")).encode() + b"\n" + rest)
    assert saved.load(tmp_path / "old").gaps == snapshot.gaps


def test_the_same_cluster_is_the_same_file(snapshot: Snapshot, tmp_path: Path) -> None:
    """Byte for byte: it can be compared and kept by its digest. Nobody else may read it."""
    saved.save(snapshot, tmp_path / "one")
    saved.save(snapshot, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_it_is_known_by_what_it_holds(snapshot: Snapshot, tmp_path: Path) -> None:
    """Whatever its name, packed or not; and nothing else is taken for one."""
    packed, plain, other = tmp_path / "a.yaml", tmp_path / "b.json", tmp_path / "c.gz"
    saved.save(snapshot, packed)
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    other.write_bytes(gzip.compress(b"kind: Pod\n"))
    assert saved.is_saved(packed)
    assert saved.is_saved(plain)
    assert saved.load(plain).resources[0].manifest == snapshot.resources[0].manifest
    assert not saved.is_saved(other)
    assert not saved.is_saved(tmp_path / "not there")
    assert not saved.is_saved(tmp_path)


def test_no_credential_is_in_it(snapshot: Snapshot, tmp_path: Path) -> None:
    """The password was left behind when the cluster was read."""
    saved.save(snapshot, tmp_path / "file")
    assert b"hunter2" not in gzip.decompress((tmp_path / "file").read_bytes())
    assert POD["spec"]["containers"][0]["env"][0]["value"] == "hunter2"  # type: ignore[index]


def test_a_file_that_cannot_be_written_is_an_error(snapshot: Snapshot, tmp_path: Path) -> None:
    """And nothing is left behind."""
    with pytest.raises(WriteError, match="No such file"):
        saved.save(snapshot, tmp_path / "no" / "folder")


def _lines(snapshot: Snapshot, folder: Path) -> list[dict[str, Any]]:
    saved.save(snapshot, folder / "whole")
    text = gzip.decompress((folder / "whole").read_bytes())
    return [json.loads(line) for line in text.splitlines()]


def _written(folder: Path, lines: list[Any]) -> Path:
    file = folder / "changed"
    file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return file


def test_a_file_that_lost_its_end_is_no_cluster(snapshot: Snapshot, tmp_path: Path) -> None:
    """Wherever it was cut: in the packed bytes, or after a whole line."""
    lines = _lines(snapshot, tmp_path)
    whole = (tmp_path / "whole").read_bytes()
    for length in range(40, len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(SnapshotError, match="cut off or damaged"):
            saved.load(tmp_path / "cut")
    with pytest.raises(SnapshotError, match="3 objects, and has 2"):
        saved.load(_written(tmp_path, lines[:-1]))
    with pytest.raises(SnapshotError, match="3 objects, and has 4"):
        saved.load(_written(tmp_path, [*lines, lines[-1]]))


def test_a_byte_that_changed_is_told(snapshot: Snapshot, tmp_path: Path) -> None:
    """The sum at the end of gzip does not fit any more, or the JSON is none."""
    _lines(snapshot, tmp_path)
    whole = bytearray((tmp_path / "whole").read_bytes())
    for at in range(60, len(whole), 7):
        changed = bytearray(whole)
        changed[at] ^= 0x55
        (tmp_path / "changed").write_bytes(changed)
        with pytest.raises(SnapshotError):
            saved.load(tmp_path / "changed")


def test_a_bomb_is_not_unpacked(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one endless line nor endlessly many."""
    lines = _lines(snapshot, tmp_path)
    header = json.dumps(lines[0]).encode()
    bomb = tmp_path / "bomb"
    bomb.write_bytes(gzip.compress(header + b"\n" + b"[" * (saved.LONGEST_LINE + 2)))
    with pytest.raises(SnapshotError, match="larger than"):
        saved.load(bomb)
    monkeypatch.setattr(saved, "MOST_BYTES", 1 << 20)
    bomb.write_bytes(gzip.compress(header + b"\n" + (json.dumps(lines[1]).encode() + b"\n") * 9999))
    with pytest.raises(SnapshotError, match="larger than 1 MB"):
        saved.load(bomb)


WRONG: dict[str, tuple[int, dict[str, Any], str]] = {
    "another version": (0, {"format": "auditor-snapshot/2"}, "auditor-snapshot/2"),
    "a format that is no text": (0, {"format": ["auditor-snapshot/1"]}, "its format is"),
    "no server": (0, {"server": None}, "line 1: server"),
    "kinds that are a number": (0, {"server": {"version": 134, "kinds": 3}}, "server.kinds"),
    "gaps that are a mapping": (0, {"gaps": {}}, "gaps"),
    "a gap of no known severity": (
        0, {"gaps": [{"what": "a", "why": "b", "severity": "fine", "kinds": []}]}, "severity",
    ),
    "a count that is a text": (0, {"objects": "3"}, "objects"),
    "a manifest that is a list": (1, {"manifest": []}, "line 2: manifest is no mapping"),
    "a kind that is a number": (1, {"manifest": {"apiVersion": "v1", "kind": 3}}, "line 2"),
    "a name that is a mapping": (
        1, {"manifest": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": {}}}}, "line 2",
    ),
    "a place on this machine": (1, {"uri": "/etc/passwd"}, "line 2: uri"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_type_is_named(
    auditor: Command, snapshot: Snapshot, tmp_path: Path, name: str
) -> None:
    """In a sentence, with the file and the line; it is no audit, and exit code 2."""
    number, change, told = WRONG[name]
    lines = _lines(snapshot, tmp_path)
    lines[number] |= change
    file = _written(tmp_path, lines)
    with pytest.raises(SnapshotError, match=told):
        saved.load(file)
    if name != "a format that is no text":  # then nobody can know that it is meant to be one
        said = auditor("audit", file)
        assert (said.code, said.out) == (2, "")
        assert "fatal: no audit was performed" in said.err
        assert str(file) in said.err


def test_manifests_of_any_form_are_audited(
    auditor: Command, snapshot: Snapshot, tmp_path: Path
) -> None:
    """What the API server would never say, a file may: no traceback, and nothing else is hidden."""
    lines = _lines(snapshot, tmp_path)
    odd: list[Any] = [None, 3, [], "x", {"containers": None}, {"containers": [None, 3, {"env": 1}]}]
    for number, spec in enumerate(odd):
        manifest = {**lines[1]["manifest"], "spec": spec}
        manifest["metadata"] = {"name": f"odd{number}", "namespace": "shop", "labels": 3}
        lines.append({**lines[1], "manifest": manifest})
    lines[0]["objects"] += len(odd)
    said = auditor("audit", _written(tmp_path, lines), "--format", "json")
    assert said.code == 1, said.err
    found = [f["object"]["name"] for f in said.report["findings"] if "privileged" in f["policy"]]
    assert found == ["web"]


def test_a_snapshot_is_audited_alone(auditor: Command, snapshot: Snapshot, tmp_path: Path) -> None:
    """Beside manifests, nobody could say which description of an object counts."""
    saved.save(snapshot, tmp_path / "file")
    (tmp_path / "pod.yaml").write_text("kind: Pod\n")
    said = auditor("audit", tmp_path / "file", tmp_path / "pod.yaml")
    assert said.code == 2
    assert "audit it alone" in said.err


def test_its_audit_says_what_was_not_read(
    auditor: Command, snapshot: Snapshot, tmp_path: Path
) -> None:
    """The version judged for is the server's, and the list that was forbidden is a gap."""
    saved.save(snapshot, tmp_path / "file")
    said = auditor("audit", tmp_path / "file", "--format", "json")
    assert said.report["kubernetesVersion"] == "1.34"
    schema = json.loads((Path(reporters.__file__).parent / "report.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(said.report)
    assert said.report["source"] == {
        "kind": "cluster",
        "readAt": "2026-03-01T10:00:00Z",
        "objects": 3,
        "requests": 24,
        "bytes": 12345,
    }
    assert "list of services" in [gap["what"] for gap in said.report["gaps"]]
    (finding,) = [f for f in said.report["findings"] if "privileged" in f["policy"]]
    assert finding["file"] == "cluster/shop/pods/web.yaml"
