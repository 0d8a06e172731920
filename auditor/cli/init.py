"""`auditor init`: the first configuration of a repository, with what its manifests tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from auditor.model import Snapshot

NAME = ".auditor.yaml"
RACK = "topology.kubernetes.io/rack"

TEXT = """\
# How auditor judges this repository: docs/configuration.md has every key.
policySet: {newest}        # a policy that is newer only warns, until you raise this
topology:
  rack: {rack}{told}
# cni: cilium         # what enforces network policies, where no cluster can be asked
# data:               # what holds personal data, and who may ask for it;
#   objects:          # `auditor classify` writes a declaration to review
#     shop/customers: {{class: pii, clients: [shop/web], owner: accounts}}
# waivers:
#   - policy: workload/privileged_container
#     object: shop/nightly-report
#     reason: why it is right here
#     until: 2027-12-31
"""


@click.command("init", short_help="Write the first configuration of a repository.")
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="[FOLDER]",
)
def init(folder: Path) -> int:
    """Write `.auditor.yaml` into FOLDER (the current one), with the newest set of policies and the
    label by which its Node manifests name racks. A file that is there stays as it is.
    """
    from auditor.cli.screen import say
    from auditor.errors import UsageError
    from auditor.policies.loader import load

    file = folder / NAME
    newest = max(policy.since for policy in load()[0])
    rack = _rack(folder)
    told = "" if rack else "   # the node label that names the rack; there is no standard one"
    text = TEXT.format(newest=newest, rack=rack or RACK, told=told)
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise UsageError(f"{file} is there already, and stays as it is") from None
    shown = "." if folder == Path() else str(folder)
    say(f"wrote {file}; next: auditor audit {shown}, and auditor classify {shown}", err=True)
    return 0


def _rack(folder: Path) -> str:
    """The label that most Nodes have and that speaks of racks; empty where there is none."""
    from auditor.sources.files import FileSource

    found = Counter(_labels(FileSource((str(folder),)).snapshot()))
    return next((label for label, _ in found.most_common()), "")


def _labels(snapshot: Snapshot) -> Iterator[str]:
    from auditor.manifests import at, mapping

    for node in snapshot.of_kind("Node"):
        yield from _of_racks(mapping(at(node.manifest, ("metadata", "labels"))))


def _of_racks(labels: Iterable[object]) -> Iterator[str]:
    return (label for label in labels if isinstance(label, str) and "rack" in label.lower())
