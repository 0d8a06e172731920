"""A real browser, Chromium, spoken to over a pipe in the DevTools protocol
(https://chromedevtools.github.io/devtools-protocol/): no driver, no port, no network.

``python -m tests.e2e.browser`` installs it where it is missing, as Debian and its descendants do.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60.0
"""Seconds for one answer of a busy machine."""
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "about:blank",
)
_START = "import os,sys; a,b=map(int,sys.argv[1:3]); os.dup2(a,3); os.dup2(b,4); \
os.execv(sys.argv[3],sys.argv[3:])"
"""The browser reads commands from descriptor 3 and writes to 4."""
_KEYS = {
    "Enter": ("\r", 13), "Tab": ("", 9), "Escape": ("", 27), "ArrowDown": ("", 40),
    "ArrowUp": ("", 38), "ArrowRight": ("", 39), " ": (" ", 32), "/": ("/", 191),
}  # fmt: skip


class BrowserError(Exception):
    """The browser did not answer, or did not do what it was asked."""


def program() -> str | None:
    """The browser of this machine."""
    found = (shutil.which(name) for name in (os.environ.get("AUDITOR_BROWSER", ""), *NAMES) if name)
    return next(filter(None, found), None)


class Browser:
    """One browser with one page."""

    def __init__(self, process: subprocess.Popen[bytes], reads: int, writes: int) -> None:
        self._process, self._reads, self._writes = process, reads, writes
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        """What the browser told of its own accord since the page was opened."""

    def attach(self) -> None:
        """Take the one page."""
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What the browser answers."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next(PATIENCE)
            if found.get("id") == self._number:
                break
            self.events.append(found)
        if "error" in found:
            raise BrowserError(f"{method}: {found['error']}")
        answer: dict[str, Any] = found["result"]
        return answer

    def _next(self, patience: float) -> dict[str, Any]:
        until = time.monotonic() + patience
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reads], [], [], max(until - time.monotonic(), 0))
            chunk = os.read(self._reads, 1 << 20) if ready else b""
            if not chunk:
                raise BrowserError("the browser does not answer")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _wait(self, event: str) -> None:
        while not any(one.get("method") == event for one in self.events):
            self.events.append(self._next(PATIENCE))

    def open(self, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open the file in a window of that size, on a dark or a light screen."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        for address in ("about:blank", file.resolve().as_uri()):
            self.events.clear()
            self.call("Page.navigate", url=address)
            self._wait("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; of a promise, what it comes to."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise BrowserError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def settled(self, condition: str) -> None:
        """Return when the expression is true: the browser looks before each frame that it draws."""
        self.run(
            "new Promise((done, lost) => { const until = Date.now() + 30000;"
            f"const look = () => ({condition}) ? done(true) : Date.now() > until ?"
            f" lost(new Error({json.dumps(condition)})) : requestAnimationFrame(look); look(); }})"
        )

    def press(self, key: str, shift: int = 0) -> None:
        """Press a key, and let it go."""
        text, code = _KEYS[key]
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": shift}
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", **told, **({"text": text} if text else {})
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def type(self, text: str) -> None:
        """Write into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click in the middle of the first element that fits."""
        box = self.run(
            f"(async () => {{ const one = document.querySelector({json.dumps(selector)});"
            # What was out of sight gets its real height when it comes into sight, and moves others.
            "for (let frame = 0; frame < 4; frame++) {"
            "  one.scrollIntoView({block: 'center', inline: 'center'});"
            "  await new Promise(requestAnimationFrame);"
            "}"
            "const box = one.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        where = {"x": box[0], "y": box[1], "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **where)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **where)

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Keep what is to be seen as PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))

    @property
    def troubles(self) -> list[str]:
        """What went wrong in the page: errors of scripts, and what its policy forbade."""
        thrown = [
            json.dumps(one["params"]["exceptionDetails"])
            for one in self.events
            if one.get("method") == "Runtime.exceptionThrown"
        ]
        said = [
            one["params"]["entry"]["text"]
            for one in self.events
            if one.get("method") == "Log.entryAdded"
        ]
        return thrown + said

    @property
    def requests(self) -> list[str]:
        """What the page asked for, beside itself."""
        return [
            one["params"]["request"]["url"]
            for one in self.events
            if one.get("method") == "Network.requestWillBeSent"
            and one["params"].get("type") != "Document"
        ]

    def close(self) -> None:
        """End it."""
        with suppress(BrowserError, OSError):
            self._session = ""
            self.call("Browser.close")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._reads)
        os.close(self._writes)


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that keeps what it has to keep in `folder`.

    Raises:
        BrowserError: there is none on this machine.
    """
    found = program()
    if found is None:
        raise BrowserError("no Chromium here: `python -m tests.e2e.browser` installs it")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    flags = (*_FLAGS[:-1], f"--user-data-dir={folder}", _FLAGS[-1])
    command = [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), found, *flags]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            command, pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log
        )
    os.close(theirs_in)
    os.close(theirs_out)
    made = Browser(process, ours_in, ours_out)
    try:
        made.attach()
        yield made
    finally:
        made.close()


def install() -> int:
    """Install it where it is missing and may be installed; 1 where it is missing afterwards."""
    apt = shutil.which("apt-get")
    if program() is None and apt and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
            subprocess.run([apt, "-qq", *words], env=quiet, check=False, stdout=sys.stderr)
    if program() is None:
        click.echo("no Chromium here, and it could not be installed", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(install())
