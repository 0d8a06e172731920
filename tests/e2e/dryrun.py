"""Asks the API server what it would do, and reads its warnings; all over one connection."""

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cluster_kubectl import Manifest, _program

FAILED = re.compile(r"ValidatingAdmissionPolicy '([^']+)' with binding '[^']+'(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request."""

    code: int
    body: dict[str, Any]
    warnings: tuple[str, ...]

    @property
    def policies(self) -> dict[str, str]:
        """The policies of the server that warned, and in which words."""
        found = (FAILED.search(text) for text in self.warnings)
        return {match[1]: match[2] for match in found if match}

    @property
    def message(self) -> str:
        """Why it refused."""
        return str(self.body.get("message", ""))


class Server:
    """An API server that does not mean it, unless told so."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def ask(self, method: str, path: str, manifest: Manifest, *, dry: bool = True) -> Answer:
        """Send the object there."""
        query = "?dryRun=All&fieldManager=e2e" if dry else "?fieldManager=e2e"
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, path + query, json.dumps(manifest), headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        known = response.headers.get_content_type() == "application/json"
        body = json.loads(text) if known else {"message": text}
        return Answer(response.status, body, tuple(map(_text, _warnings(response))))

    def listed(self, path: str) -> list[Manifest]:
        """GET of a list; each object with its kind, which a server says once for all."""
        self._connection.request("GET", path)
        body = json.loads(self._connection.getresponse().read())
        kind = body["kind"].removesuffix("List")
        return [{"apiVersion": body["apiVersion"], "kind": kind, **each} for each in body["items"]]

    def create(self, path: str, manifest: Manifest, *, dry: bool = True) -> Answer:
        """POST."""
        return self.ask("POST", path, manifest, dry=dry)


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def _warnings(response: http.client.HTTPResponse) -> list[str]:
    return response.headers.get_all("Warning") or []


def _text(header: str) -> str:
    """The text between the quotes of ``299 - "…"``."""
    quoted = header.partition('"')[2].rpartition('"')[0]
    return re.sub(r"\\(.)", r"\1", quoted)


@contextmanager
def server(kubeconfig: Path) -> Iterator[Server]:
    """Reaches the API server with these credentials, through `kubectl proxy`."""
    command = [_program(), f"--kubeconfig={kubeconfig}", "proxy", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        try:
            assert proxy.stdout
            said = proxy.stdout.readline()
            with closing(_connection(int(said.rpartition(":")[2]))) as connection:
                yield Server(connection)
        finally:
            proxy.terminate()
