"""Installs and asks Microsoft's SARIF multitool, which also brings the official schema.

It is a npm package, pinned with its checksum by the lock file beside this module, and kept in
``.cache/sarif/``. Its traps: the file goes before ``--rule-kind``, the exit code is 0 whatever it
finds, and a log that the schema refuses makes it skip every rule; hence schema first.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from ..cluster_errors import NoClusterError  # noqa: TID252 `tests` is no package

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[2] / ".cache" / "sarif"
PACKAGE = Path("node_modules") / "@microsoft" / "sarif-multitool-linux"
GIVEN = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True, slots=True)
class Multitool:
    """The installed package."""

    folder: Path

    def schema_errors(self, log: Any) -> list[str]:
        """What the official schema of SARIF 2.1.0 says against `log`."""
        schema = json.loads((self.folder / PACKAGE / "sarif-2.1.0.json").read_text("utf-8-sig"))
        return [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(log)]

    def errors(self, log: Any) -> list[str]:
        """What the rules of SARIF, GitHub and Azure DevOps say against `log`, errors alone."""
        with tempfile.TemporaryDirectory() as scratch:
            asked, told = Path(scratch) / "asked.sarif", Path(scratch) / "told.sarif"
            asked.write_text(json.dumps(log), "utf-8")
            kinds = ("--rule-kind", "Sarif;Gh;Ado", "-o", str(told))
            self._run("validate", str(asked), *kinds)
            [run] = json.loads(told.read_text("utf-8-sig"))["runs"]
        # It lists the rules that spoke; one always does, as our logs name no home page.
        assert run["tool"]["driver"]["rules"], "the multitool asked no rule"
        return list(_errors(run))

    def _run(self, *arguments: str) -> None:
        program = self.folder / PACKAGE / "Sarif.Multitool"
        environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
        command = [str(program), *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _errors(run: Any) -> Iterator[str]:
    for result in run.get("results", ()):
        if result.get("level") == "error":
            message = result["message"]
            yield f"{result['ruleId']} {message.get('id')}: {message.get('arguments')}"


def installed() -> Multitool:
    """The multitool, fetched by npm unless it is there.

    Raises:
        NoClusterError: npm is missing or could not fetch it; the test is to be skipped.
    """
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = CACHE / f"multitool-{digest}"
    if not folder.is_dir():
        _install(folder)
    return Multitool(folder)


def _install(folder: Path) -> None:
    if shutil.which("npm") is None:
        raise NoClusterError("no npm here to fetch the SARIF multitool with: install Node.js")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".building-") as scratch:
        work = Path(scratch) / folder.name
        work.mkdir()
        for name in GIVEN:
            shutil.copy(HERE / name, work / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoClusterError(f"npm could not fetch the SARIF multitool: {done.stderr[-500:]}")
        (work / PACKAGE / "Sarif.Multitool").chmod(0o755)
        if not folder.is_dir():  # another run may have been faster
            work.rename(folder)
