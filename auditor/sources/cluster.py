"""Reads a live cluster. The only module that talks to one through the `kubernetes` package.

That package brings what is hard and dull: kubeconfig files, contexts, exec plugins, tokens that
expire, TLS, proxies, the identity of a pod. Its typed models are left aside: raw JSON costs a
thirtieth of the time and a third of the memory.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import urllib3
import yaml

from auditor.credentials import LAST_APPLIED, without_credentials
from auditor.errors import ClusterError
from auditor.manifests import mapping
from auditor.memory import collector_paused
from auditor.model import About, Gap, Origin, Reading, Ref, Resource, Server, Snapshot, Unseen
from auditor.sources.authorship import authorship_of, changed_at
from auditor.sources.changes import LiveChange
from auditor.sources.kinds import ADMISSION, KINDS, Kind
from auditor.sources.namespaced import Partial, beyond, partly, plain
from auditor.sources.rendered import Rendered
from auditor.sources.responses import hang_up, number, retry_seconds, whole_body, words
from auditor.values import dataclass

PAGE = 500
"""Objects asked for at once, as kubectl does."""
AT_ONCE = 4
"""Lists read at the same time: enough to hide latency, too few to hurt the API server."""
CONNECT_SECONDS = 10.0
PATIENCE_SECONDS = 120.0
"""How long one list may take, with all its pages and every time that it is asked for again."""


class RefusedError(Exception):
    """A request that brought no answer to use; its text is the reason, as the server gave it."""

    def __init__(self, why: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.status = status
        """The HTTP status, 0 where there was none."""
        self.retry_after = retry_after
        """How many seconds the server asks us to wait."""

    @property
    def transient(self) -> bool:
        """Whether asking again may help."""
        return self.status in {0, 429, 500, 502, 503, 504}


Keep = Callable[[Resource], Resource]
"""Says what of an object is kept in memory."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All objects of one kind at one moment."""

    resources: tuple[Resource, ...]
    version: str
    """The resourceVersion of that moment: where a watch goes on."""


class ClusterSource:
    """What a cluster holds now; where not all of it may be read, what `namespaces` hold.

    Args:
        kubeconfig: a file; else KUBECONFIG, the home folder, or the pod that we run in.
        context: one of its contexts; else the current one.
        patience: how many seconds one list may take.
        cached: take what the API server remembers, which costs it least and may be a moment old.

    Raises:
        ClusterError: the kubeconfig or the context cannot be used.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        context: str | None = None,
        namespaces: tuple[str, ...] = (),
        *,
        patience: float = PATIENCE_SECONDS,
        cached: bool = False,
    ) -> None:
        self._connection = Connection(kubeconfig, context, patience)
        self._namespaces = plain(namespaces)
        self._cached = cached

    def version(self) -> int:
        """The version of the API server as 100 × major + minor; 0 where it will not tell.

        Raises:
            ClusterError: the server cannot be reached.
        """
        return self._connection.version()

    def snapshot(self) -> Snapshot:
        """Every object of `KINDS`, and a gap for each list that could not be read to its end.

        Raises:
            ClusterError: the server cannot be reached, or refuses who we are.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        version = self._connection.version()
        with collector_paused(), ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(self._list, KINDS))
        refused = [answer for answer in answers if isinstance(answer, RefusedError)]
        if len(refused) == len(KINDS) and all(error.status == 401 for error in refused):
            raise ClusterError(
                f"{self._connection.host} does not accept our credentials: {refused[0]}; "
                "log in again, or choose another user with --context"
            )
        lists = [answer.resources for answer in answers if not isinstance(answer, RefusedError)]
        gaps = [
            answer.gap if isinstance(answer, Partial) else self._gap_of(kind, answer)
            for kind, answer in zip(KINDS, answers, strict=True)
            if not isinstance(answer, Listing)
        ]
        resources = tuple(resource for found in lists for resource in found)
        reading = Reading(at, len(resources), *self._connection.traffic)
        server = Server(version, frozenset(kind.kind for kind in KINDS), reading)
        return Snapshot(resources, tuple(gaps), server)

    def _list(self, kind: Kind) -> Listing | Partial | RefusedError:
        try:
            return self._connection.list(kind, cached=self._cached)
        except RefusedError as refused:
            if self._connection.lacks(kind, refused):
                return Listing((), "")
            if refused.status == 403 and kind.namespaced and self._namespaces:
                return self._partly(kind)
            return refused

    def _partly(self, kind: Kind) -> Partial | RefusedError:
        def read(namespace: str) -> tuple[Resource, ...]:
            kind_there = replace(kind, within=namespace)
            return self._connection.list(kind_there, cached=self._cached).resources

        try:
            return partly(kind.what, kind.kind, self._namespaces, read)
        except RefusedError as refused:
            return refused

    def _gap_of(self, kind: Kind, refused: RefusedError) -> Gap:
        if refused.status == 403 and not kind.namespaced and self._namespaces:
            return beyond(kind.what, str(refused), kind.kind)
        return gap_of(kind, refused)


def gap_of(kind: Kind, refused: RefusedError) -> Gap:
    """The list that could not be read, and why."""
    return Gap(kind.what, str(refused), Unseen.INCOMPLETE, (kind.kind,), about=About.LIST)


class Connection:
    """Reads from one API server. Safe to share between threads.

    Raises:
        ClusterError: the kubeconfig or the context cannot be used.
    """

    def __init__(
        self,
        kubeconfig: str | None = None,
        context: str | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        from kubernetes.client.api_client import ApiClient

        configuration = _configuration(kubeconfig, context)
        configuration.retries = False  # `_answer` does it, within the patience of one list
        configuration.connection_pool_maxsize = 2 * len(KINDS)  # one watch each, and lists
        try:
            self._client = ApiClient(configuration)
        except (OSError, ValueError) as error:
            raise ClusterError(f"the certificates of the kubeconfig: {error}") from error
        self._client.user_agent = "auditor"
        self._lock = threading.Lock()
        self._patience = patience
        self._requests = self._bytes = 0
        self.host: str = configuration.host
        """The address of the server."""

    @property
    def traffic(self) -> tuple[int, int]:
        """How many requests were sent so far, and how many bytes their answers had."""
        return self._requests, self._bytes

    def version(self) -> int:
        """The version of the API server as 100 × major + minor; 0 where it will not tell.

        Raises:
            ClusterError: the server cannot be reached.
        """
        try:
            answer = self._once("/version", {}, time.monotonic() + 2 * CONNECT_SECONDS)
        except RefusedError as refused:
            if refused.status in {401, 403}:  # somebody answers; the lists will say the rest
                return 0
            raise ClusterError(
                f"no cluster answers at {self.host}: {refused}; is it running, and is "
                "the right --context chosen?"
            ) from refused
        major, minor = (number(answer.get(key)) for key in ("major", "minor"))
        return 100 * major + minor

    def list(self, kind: Kind, *, cached: bool = False, keep: Keep | None = None) -> Listing:
        """Every object of `kind`, in pages; `cached`, as the API server remembers them. Of each,
        only what `keep` leaves of it is held.

        Pages that expire between two requests are thrown away and the list is read anew, the
        last time in one piece: half of one moment and half of another is no list.

        Raises:
            RefusedError: the list could not be read to its end.
        """
        deadline = time.monotonic() + self._patience
        for limit in (PAGE, PAGE):
            try:
                return self._pages(kind, _first(limit, cached=cached), deadline, keep)
            except RefusedError as refused:
                if refused.status != 410:
                    raise
        return self._pages(kind, _first(0, cached=cached), deadline, keep)

    def _pages(
        self, kind: Kind, query: Mapping[str, str], deadline: float, keep: Keep | None
    ) -> Listing:
        found: list[Resource] = []
        while True:
            answer = self._answer(kind.path, query, deadline)
            if not isinstance(answer.get("items"), list):
                raise RefusedError("the answer is no list")
            read = (live_resource(kind, mapping(item)) for item in answer["items"])
            found.extend(map(keep, read) if keep else read)
            metadata = mapping(answer.get("metadata"))
            more = metadata.get("continue")
            if not more:
                return Listing(tuple(found), str(metadata.get("resourceVersion", "")))
            query = {"limit": str(PAGE), "continue": str(more)}

    def lacks(self, kind: Kind, refused: RefusedError) -> bool:
        """Whether `kind` was refused only because this server need not have it, and has not.

        Who may not read a kind is told so even where it does not exist; discovery tells more.
        """
        if not kind.optional:
            return False
        try:
            known = self._once(f"/apis/{kind.api_version}", {}, time.monotonic() + CONNECT_SECONDS)
        except RefusedError as undiscovered:
            return 404 in {refused.status, undiscovered.status}
        return not any(mapping(r).get("name") == kind.plural for r in known.get("resources", ()))

    def watch(self, kind: Kind, version: str, seconds: int) -> Watch:
        """What happens to objects of `kind` after `version`, for so many seconds.

        Raises:
            RefusedError: the server does not let us watch, with status 410 where it no longer
                knows what happened since `version`.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        return Watch(self._open(kind.path, query, (CONNECT_SECONDS, seconds + CONNECT_SECONDS)))

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """One object or one list, whole, as the server gives it.

        Raises:
            RefusedError: it could not be had.
        """
        return self._answer(path, query or {}, time.monotonic() + self._patience)

    def write(
        self,
        change: LiveChange,
        query: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> None:
        """Make a change within so many seconds. What `query` asks for besides is the caller's
        business.

        Raises:
            RefusedError: the server would not; the text is its reason.
        """
        timeout = (CONNECT_SECONDS, self._patience if seconds is None else seconds)
        response = self._open(change.path, query or {}, timeout, change)
        try:
            response.drain_conn()  # what is left of it would be taken for the next answer
        finally:
            response.release_conn()

    def dry_run(self, change: LiveChange) -> None:
        """Have the server say whether it would take a change, without making it (`dryRun=All`).

        Raises:
            RefusedError: it would not; the text is its reason.
        """
        self.write(
            change, {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "auditor"}
        )

    def _answer(self, path: str, query: Mapping[str, str], deadline: float) -> Mapping[str, Any]:
        """Ask, and ask again while the server is busy and there is time."""
        for pause in (0.5, 1.0, 2.0, 4.0):
            try:
                return self._once(path, query, deadline)
            except RefusedError as refused:
                wait = max(pause, refused.retry_after or 0)
                if not refused.transient or time.monotonic() + wait > deadline:
                    raise
                time.sleep(wait)
        return self._once(path, query, deadline)

    def _once(self, path: str, query: Mapping[str, str], deadline: float) -> Mapping[str, Any]:
        left = max(deadline - time.monotonic(), 0.1)
        response = self._open(path, query, (min(CONNECT_SECONDS, left), left))
        try:
            body = whole_body(response, deadline)
            self._count(len(body))
            return mapping(orjson.loads(body))
        except (urllib3.exceptions.HTTPError, orjson.JSONDecodeError) as error:
            if time.monotonic() >= deadline:
                raise RefusedError("slow: no complete answer in time", 408) from error
            if isinstance(error, orjson.JSONDecodeError):
                raise RefusedError(f"the answer is no JSON: {error}", response.status) from error
            raise RefusedError(f"cut off midway: {words(error)}") from error
        finally:
            response.release_conn()

    def _count(self, length: int) -> None:
        with self._lock:
            self._bytes += length

    def _open(
        self,
        path: str,
        query: Mapping[str, str],
        timeout: tuple[float, float],
        change: LiveChange | None = None,
    ) -> Any:
        """The response to a GET, or to a change, its body not yet read."""
        from kubernetes.client.exceptions import ApiException
        from kubernetes.config import ConfigException

        try:
            with self._lock:  # a token may have to be renewed by an exec plugin: once, not often
                self._requests += 1
                request = self._client.param_serialize(
                    change.method if change else "GET",
                    path,
                    query_params=list(query.items()),
                    header_params={"Accept": "application/json"}
                    | ({"Content-Type": change.media} if change else {}),
                    body=change.body if change else None,
                    auth_settings=["BearerToken"],
                )
            response = self._client.call_api(*request, _request_timeout=timeout).response
        except urllib3.exceptions.ReadTimeoutError as error:
            raise RefusedError(f"slow: {words(error)}", 408) from error
        except ConfigException as error:
            raise RefusedError(f"no credentials: {words(error)}") from error
        except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise RefusedError(f"no connection: {words(error)}") from error
        if response.status not in {200, 201}:
            raise _refused(response)
        return response


class Watch:
    """The events of one kind, as the server sends them."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Each event, until the server ends the watch.

        Raises:
            RefusedError: the connection broke, or was silent for longer than a watch lasts.
        """
        rest = b""
        try:
            for chunk in self._response.stream(1 << 16):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from (mapping(orjson.loads(line)) for line in lines if line.strip())
        except (urllib3.exceptions.HTTPError, OSError, orjson.JSONDecodeError) as error:
            raise RefusedError(f"the watch broke off: {words(error)}") from error
        finally:
            self._response.close()

    def stop(self) -> None:
        """End the watch from another thread."""
        hang_up(self._response)


def live_resource(kind: Kind, item: Mapping[str, Any]) -> Resource:
    """An item of a list or an event as a resource.

    Items of a list come without apiVersion and kind. What only machines read (managedFields, the
    certificates by which the server knows webhooks) or may repeat a secret (the last applied
    configuration, binary data) is left out; for credentials stand others of their class, so that
    nothing that is done with the object can tell them.
    """
    metadata = {k: v for k, v in mapping(item.get("metadata")).items() if k != "managedFields"}
    if LAST_APPLIED in mapping(metadata.get("annotations")):
        kept = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
        metadata["annotations"] = kept
    rest = {k: v for k, v in item.items() if k != "binaryData"}
    if kind in ADMISSION and isinstance(rest.get("webhooks"), list):
        rest["webhooks"] = [_without_bundle(each) for each in rest["webhooks"]]
    manifest = {**rest, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
    first = ("apiVersion", "kind", "metadata")
    manifest = {key: manifest[key] for key in (*first, *(k for k in manifest if k not in first))}
    manifest = without_credentials(manifest)
    namespace = str(metadata.get("namespace", "")) if kind.namespaced else ""
    ref = Ref(kind.api_version, kind.kind, namespace, str(metadata.get("name", "")))
    uri = f"cluster/{namespace or '_cluster'}/{kind.plural}/{ref.name}.yaml"
    lines = Rendered(uri, manifest)
    authorship, changed = authorship_of(item), changed_at(item)
    origin = Origin(uri, lines, live=True, authorship=authorship, changed=changed)
    return Resource(ref, manifest, origin)


def _without_bundle(webhook: Any) -> Any:
    """A webhook less the certificates by which the API server knows it."""
    if not isinstance(webhook, dict) or not isinstance(webhook.get("clientConfig"), dict):
        return webhook
    config = {k: v for k, v in webhook["clientConfig"].items() if k != "caBundle"}
    return {**webhook, "clientConfig": config}


def _configuration(kubeconfig: str | None, context: str | None) -> Any:
    from kubernetes.client.configuration import Configuration
    from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

    configuration = Configuration()
    where = kubeconfig or os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    try:
        if any(Path(part).expanduser().is_file() for part in where.split(os.pathsep)):
            load_kube_config(where, context, configuration, persist_config=False)
        elif kubeconfig is None and context is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            where = "the pod's service account"
            load_incluster_config(configuration)
        else:
            raise ClusterError(f"no kubeconfig at {where}; name one with --kubeconfig")
    except (ConfigException, yaml.YAMLError, OSError) as error:
        raise _unusable(where, words(error)) from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # The package does not check the types of what it reads.
        raise _unusable(where, f"not a kubeconfig ({words(error)})") from error
    if not str(configuration.host).startswith(("https://", "http://")):
        raise _unusable(where, f"the server is '{configuration.host}', not https://HOST:PORT")
    return configuration


def _unusable(where: str, why: str) -> ClusterError:
    return ClusterError(
        f"{where}: {why.strip().rstrip('.')}; `kubectl config get-contexts` shows what there is, "
        "--kubeconfig and --context choose"
    )


def _first(limit: int, *, cached: bool) -> Mapping[str, str]:
    """The query of the first page. A server that answers from what it remembers may ignore the
    limit: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
    """
    from_cache = {"resourceVersion": "0", "resourceVersionMatch": "NotOlderThan"} if cached else {}
    return ({"limit": str(limit)} if limit else {}) | from_cache


def _refused(response: Any) -> RefusedError:
    """What the server said, in its own words where it found some."""
    try:
        said = response.read(1 << 16)
        message = str(mapping(orjson.loads(said)).get("message") or response.reason)
    except (urllib3.exceptions.HTTPError, OSError, orjson.JSONDecodeError):
        message = str(response.reason)
    finally:
        response.close()
    words = {401: "unauthorized", 403: "forbidden", 404: "missing", 410: "expired", 429: "busy"}
    why = f"{words.get(response.status, f'HTTP {response.status}')}: {message}"
    return RefusedError(why, response.status, retry_seconds(response.headers.get("Retry-After")))
