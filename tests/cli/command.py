"""Runs the command in this process, as `main` does: errors become exit codes and one sentence."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.main import main
from auditor.memory import _Frozen

ROOT = Path(__file__).parents[2]
PEAPODS = ROOT / "fixtures" / "clusters" / "peapods"

PRIVILEGED = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
    - name: app
      image: registry.example/app:1.0.0
      securityContext:
        privileged: true # for now
"""
HARMLESS = PRIVILEGED.replace("privileged: true", "privileged: false")


@dataclass(frozen=True, slots=True)
class Said:
    """How a run ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON on standard output."""
        report: dict[str, Any] = json.loads(self.out)
        return report


class Command:
    """The command, with what it prints captured."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        cache: Path | None = None,
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.cache = cache or Path(os.environ["AUDITOR_CACHE_DIR"])
        """Where it remembers answers: in a folder of its own for each test."""

    def __call__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Said:
        """Run it with these arguments."""
        self._monkeypatch.setattr("sys.argv", ["auditor", *map(str, arguments)])
        usual = {"NO_COLOR": "1", "COLUMNS": "100", "AUDITOR_CACHE_DIR": str(self.cache)}
        for key, value in {**usual, **(env or {})}.items():
            self._monkeypatch.setenv(key, value)
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        _let_go()
        out, err = self._capsys.readouterr()
        assert "Traceback" not in err
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, out, err)


def _let_go() -> None:
    """What stays may go: a process that ends keeps what it froze, and this one goes on."""
    gc.unfreeze()
    _Frozen.any = False
