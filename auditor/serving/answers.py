"""What every server of ours answers alike: errors, probes and numbers."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from auditor.serving.metrics import CONTENT_TYPE

GET = ("GET", "HEAD")


def error(status: int, why: str) -> web.Response:
    """Why there is no other answer. The connection ends with it."""
    response = web.Response(status=status, text=f"{why}\n")
    response.force_close()  # there may be a body that nobody will read
    return response


def misplaced(
    request: web.BaseRequest, paths: Mapping[str, tuple[str, ...]]
) -> web.Response | None:
    """What is wrong with the path or the method of a request; None where nothing is."""
    methods = paths.get(request.path)
    if methods is None:
        return error(404, f"there is {', '.join(paths)}")
    if request.method in methods:
        return None
    response = error(405, f"use {' or '.join(methods)}")
    response.headers["Allow"] = ", ".join(methods)
    return response


def numbers(text: str) -> web.Response:
    """Metrics, as Prometheus reads them."""
    return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})


def probed(unready: str) -> web.Response:
    """The answer to a probe: 503 with the reason where there is one."""
    return error(503, unready) if unready else web.Response(text="ok\n")
