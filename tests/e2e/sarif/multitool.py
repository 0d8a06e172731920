"""Installs and asks Microsoft's SARIF multitool, which also brings the official schema.

It is a npm package, pinned with its checksum by the lock file beside this module, and kept in
``.cache/sarif/``. Its traps: the file goes before ``--rule-kind``, the exit code is 0 whatever it
finds, and a log that the schema refuses makes it skip every rule; hence schema first.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from ..npm import npm_package  # noqa: TID252 `tests` is no package

HERE = Path(__file__).resolve().parent
PACKAGE = Path("node_modules") / "@microsoft" / "sarif-multitool-linux"

OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
"""It asks whether every address of a log can be reached, and only notes that one cannot; where
there is no network, it would wait for each. Nobody listens at the port for what is discarded.
"""


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
        environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"} | OFFLINE
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
    folder = npm_package(HERE, "sarif")
    (folder / PACKAGE / "Sarif.Multitool").chmod(0o755)
    return Multitool(folder)
