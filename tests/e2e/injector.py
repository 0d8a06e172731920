"""A mutating webhook of somebody else: it injects a container into every pod."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from .cluster import NoClusterError, TestCluster


@contextmanager
def injecting(
    cluster: TestCluster, folder: Path, container: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Serve it; yields the configuration that registers it, by a name that sorts last."""
    host = cluster.callback_host
    if host is None:
        raise NoClusterError("nobody told under which address the API server reaches this machine")
    authority = trustme.CA()
    issued = authority.issue_cert(host)
    pem = folder / "injector.pem"
    pem.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    server = ThreadingHTTPServer((host, 0), _handler(container))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"https://{host}:{server.server_address[1]}/"
        yield _configuration(url, authority.cert_pem.bytes())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _configuration(url: str, ca: bytes) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "zz-injector"},
        "webhooks": [
            {
                "name": "zz.injector.example",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {"url": url, "caBundle": base64.b64encode(ca).decode("ascii")},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["pods"],
                    }
                ],
            }
        ],
    }


def _handler(container: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(_answer(review, container)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    return Handler


def _answer(review: dict[str, Any], container: dict[str, Any]) -> dict[str, Any]:
    request = review["request"]
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    names = [each["name"] for each in request["object"]["spec"]["containers"]]
    if container["name"] not in names:
        patch = [{"op": "add", "path": "/spec/containers/-", "value": container}]
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(json.dumps(patch).encode()).decode("ascii")
    return {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}
