"""A wire between a client and the real API server that a test can cut, or leave hanging: bytes are
passed on as they are, so that both ends speak TLS with each other.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import yaml

CHUNK = 1 << 16


class Wire:
    """Connections to one address, passed on by a thread for each."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """End every connection, as a reset on the way does; how many that were."""
        with self._lock:
            ends = tuple(self._open)
        for end in ends:
            _close(end)
        return len(ends) // 2

    def hang(self) -> None:
        """Pass nothing on any more, and end nothing: neither end hears of it."""
        self._flowing.clear()

    def flow(self) -> None:
        """Pass on again."""
        self._flowing.set()

    def close(self) -> None:
        """End it all."""
        self._flowing.set()
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with suppress(OSError, ValueError), near, socket.create_connection(self._to) as far:
            with self._lock:
                self._open |= {near, far}
            with selectors.DefaultSelector() as either:
                either.register(near, selectors.EVENT_READ, far)
                either.register(far, selectors.EVENT_READ, near)
                while self._pass_on(either):
                    pass
            with self._lock:
                self._open -= {near, far}

    def _pass_on(self, either: selectors.BaseSelector) -> bool:
        for key, _ in either.select():
            self._flowing.wait()
            assert isinstance(key.fileobj, socket.socket)
            chunk = key.fileobj.recv(CHUNK)
            if not chunk:
                return False
            key.data.sendall(chunk)
        return True


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def wired(kubeconfig: Path, scratch: Path) -> Iterator[tuple[Wire, Path]]:
    """A wire to the server of that kubeconfig, and a kubeconfig that leads through it."""
    config = yaml.safe_load(kubeconfig.read_text("utf-8"))
    cluster = config["clusters"][0]["cluster"]
    where = urlsplit(cluster["server"])
    wire = Wire(str(where.hostname), where.port or 443)
    cluster["server"] = f"https://127.0.0.1:{wire.port}"
    cluster["tls-server-name"] = where.hostname
    path = scratch / "wired.kubeconfig"
    path.write_text(yaml.safe_dump(config), "utf-8")
    try:
        yield wire, path
    finally:
        wire.close()
