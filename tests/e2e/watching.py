"""`auditor watch` as a process, and what it serves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cluster import TestCluster
from .product import program

INTERVAL = 1


@dataclass(slots=True)
class Watching:
    """One that runs."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    @property
    def said(self) -> list[dict[str, Any]]:
        """Every line of its log, which has to be JSON."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Those that say so."""
        return [line for line in self.said if line["message"] == what]

    def number(self, name: str, **labels: str) -> float:
        """The sum of all series of that name with these labels."""
        found = 0.0
        for line in self.get("/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            has = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', series))
            if series.partition("{")[0] == name and labels.items() <= has.items():
                found += float(value)
        return found

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


@contextmanager
def watching(
    cluster: TestCluster, folder: Path, *flags: str, kubeconfig: Path | None = None
) -> Iterator[Watching]:
    """The command until the block ends; ready when the block begins."""
    log = folder / "watch.log"
    words = ["--port", "0", "--interval", str(INTERVAL), "--log-format", "json", "--cni", "spec"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [program(), "watch", "--kubeconfig", kubeconfig or cluster.kubeconfig, *words, *flags],
            stdout=file,
            stderr=file,
            env={key: value for key, value in os.environ.items() if key != "KUBECONFIG"},
        )
    made = Watching(process, log)
    try:
        cluster.wait_until("it serves", lambda: _not_serving(made))
        cluster.wait_until("it is ready", lambda: _unready(made), 120)
        yield made
        assert "Traceback" not in log.read_text("utf-8")
    finally:
        process.kill()
        process.wait(10)


def _not_serving(made: Watching) -> str:
    text = made.log.read_text("utf-8")
    assert made.process.poll() is None, text
    found = re.search(r"serving on 127\.0\.0\.1:(\d+)", text)
    if not found:
        return text or "it said nothing yet"
    made.port = int(found[1])
    return ""


def _unready(made: Watching) -> str:
    status, body = made.get("/readyz")
    return "" if status == 200 else body
