"""OPA as an engine: it stops where an argument has the wrong type, and the others go on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from auditor.policies.engine import EvaluationError


class Opa:
    """See auditor.policies.engine.PolicyEngine. Slow: a process for every question."""

    name = "opa"
    version = ""

    def __init__(self, program: Path, modules: Mapping[str, str]) -> None:
        self._program, self._modules = program, modules

    @cached_property
    def _folder(self) -> TemporaryDirectory[str]:
        folder = TemporaryDirectory()
        for number, text in enumerate(self._modules.values()):
            (Path(folder.name) / f"{number}.rego").write_text(text, "utf-8")
        return folder

    def evaluate(self, package: str, document: bytes) -> list[Mapping[str, Any]]:
        """See PolicyEngine."""
        command = (
            str(self._program), "eval", "--format=values", "--stdin-input",
            "--strict-builtin-errors", f"--data={self._folder.name}", f"data.{package}.deny",
        )  # fmt: skip
        done = subprocess.run(command, input=document, capture_output=True, check=False)
        if done.returncode:
            raise EvaluationError(f"{package}: {(done.stderr or done.stdout).decode()}")
        answers: list[list[Mapping[str, Any]]] = json.loads(done.stdout)
        return answers[0] if answers else []

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[Mapping[str, Any]]]:
        """See PolicyEngine."""
        return {package: self.evaluate(package, document) for package in packages}
