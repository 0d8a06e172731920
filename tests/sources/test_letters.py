"""What says `y` or `n` where only text is meant is read as it was meant, and told."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.manifests import at
from auditor.model import Snapshot, Unseen
from auditor.sources.files import FileSource

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
  namespace: y  # of three
  labels: {ready: n, "on": yes}
spec:
  hostNetwork: y
  nodeSelector:
    fast: Y
"""


def read(folder: Path, text: str) -> Snapshot:
    """What is in a file."""
    (folder / "pod.yaml").write_text(text)
    return FileSource((str(folder / "pod.yaml"),)).snapshot()


def test_names_and_labels_are_texts(tmp_path: Path) -> None:
    """The namespace is not another one, and a switch stays a switch."""
    found = read(tmp_path, POD)
    (pod,) = found.resources
    assert (pod.ref.namespace, pod.ref.name) == ("y", "a")
    assert at(pod.manifest, ("metadata", "labels")) == {"ready": "n", "on": True}
    assert at(pod.manifest, ("spec", "hostNetwork")) is True
    assert at(pod.manifest, ("spec", "nodeSelector", "fast")) == "Y"
    assert [gap.what.rpartition(":")[2] for gap in found.gaps] == ["5", "6", "10"]
    assert {gap.severity for gap in found.gaps} == {Unseen.INCOMPLETE}
    assert "refuses" in found.gaps[0].why


@pytest.mark.parametrize(
    "text",
    [POD.replace(" y  #", " 'y'  #").replace(" n,", " 'n',").replace("fast: Y", 'fast: "Y"')],
)
def test_in_quotes_there_is_nothing_to_tell(tmp_path: Path, text: str) -> None:
    """As it should be written."""
    found = read(tmp_path, text)
    assert found.gaps == ()
    assert found.resources[0].ref.namespace == "y"


def test_a_pod_called_n_has_a_name(tmp_path: Path) -> None:
    """It is an object like any other."""
    found = read(tmp_path, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: n\n")
    assert [pod.ref.name for pod in found.resources] == ["n"]
