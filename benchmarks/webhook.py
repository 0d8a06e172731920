"""What the webhook can take: reviews a second, the time it adds, CPU and memory, and a long run.

``python benchmarks/webhook.py`` serves from processes of its own, over TLS on the loopback
interface, with the cluster peapods-fixed in memory, and asks about pods of 3 KB that are all
different and all noted when they are admitted: first with 16 policies on the object alone, then
with four on the whole cluster beside them. For each: reviews a second of connections that ask
without a pause; the 99th percentile at a constant rate, less that of reviews that no policy is
asked about; CPU microseconds for a review, of all processes that serve; memory of each that judges.
Before that, in this process and without the server, the CPU milliseconds of one who judges: for a
review, for taking over what it has admitted itself, and what another has, in that cluster and in
one of two hundred workloads more.

``--soak SECONDS`` asks for so long, one in a hundred requests being hostile, and fails where an
answer is wrong, or memory, files or threads grow. Client and server share the machine: timings tell
an order, and only CPU time is worth comparing.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import ssl
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

import orjson
import trustme

from auditor.model import Key, Ref, Resource, Server
from auditor.sources.kinds import KINDS
from auditor.sources.watch.feed import Feed, Log
from auditor.terms import KUBERNETES
from auditor.webhook.admissions import note

ROOT = Path(__file__).parents[1]
OBJECT_ALONE = 16
CROSS_RESOURCE = (
    "data/personal_data_not_isolated",
    "network/monitor_beyond_health",
    "placement/depends_on_far_service",
    "data/beside_node_owner",
)
PACED_SECONDS = 5
HOSTILE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked."""

    connections: int
    rate: int
    """Reviews a second, where the time that they take is measured."""
    count: int
    """Reviews, where their number a second is."""


LOADS = {"alone": Load(25, 200, 1500), "cross": Load(8, 200, 300)}
REVIEWS = 30
"""So many are judged in this process."""


# What serves.


def serve(folder: Path, kind: str) -> None:
    """Serve until SIGTERM, with the certificate in `folder`; the port goes to standard output."""
    import logging

    from auditor.declared import Admission, Mode
    from auditor.webhook.certificates import Pair
    from auditor.webhook.evaluators import Staff
    from auditor.webhook.plan import Plan
    from auditor.webhook.server import Listener
    from auditor.webhook.server import serve as answer
    from tests.bench import SETTINGS, bench

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    listener = Listener(
        "127.0.0.1", 0, Pair(folder / "tls.crt", folder / "tls.key"), drain_seconds=0
    )
    plan = Plan(bench(*policies(kind)), SETTINGS, Admission(Mode.DENY))
    answer(plan, Memory(peapods()), listener, Staff(workers=2))


class Memory:
    """A cluster that changes by what is admitted, told change by change as a watched one is."""

    def __init__(self, objects: Sequence[Resource]) -> None:
        self.ready, self.unready = True, ""
        self.unread: tuple[str, ...] = ()
        self.believed: frozenset[Key] = frozenset()
        self.ages: dict[str, float] = {}
        self._log = Log()
        self._objects = {each.ref.key: each for each in objects}
        self._server = Server(KUBERNETES, frozenset(kind.kind for kind in KINDS))

    def feed(self, since: int) -> Feed:
        """See `auditor.webhook.live.Live`."""
        changed = self._log.since(since)
        there = self._objects if changed is None else changed
        found = tuple(self._objects[key] for key in there if key in self._objects)
        gone = tuple(ref for key, ref in (changed or {}).items() if key not in self._objects)
        return Feed(self._log.revision, changed is None, found, gone, (), self._server)

    def remember(self, resource: Resource) -> None:
        """See there."""
        self._objects[resource.ref.key] = resource
        self._log.note((resource.ref,))

    def forget(self, ref: Ref) -> None:
        """See there."""
        self._objects.pop(ref.key, None)
        self._log.note((ref,))


def policies(kind: str) -> tuple[str, ...]:
    """The names of those that are asked."""
    from auditor.policies.loader import load

    names = [p.id for p in load()[0] if not p.facts and p.id.startswith("workload/")]
    alone = ("workload/privileged_container", *names)
    alone = tuple(dict.fromkeys(alone))[:OBJECT_ALONE]
    return alone if kind == "alone" else (*alone, *CROSS_RESOURCE)


def peapods() -> Sequence[Resource]:
    """The company put right, as a cluster would hold it."""
    import yaml

    from tests.webhook.world import _BY_KIND, live

    files = sorted((ROOT / "fixtures/clusters/peapods-fixed").glob("*.yaml"))
    found = [each for f in files for each in yaml.safe_load_all(f.read_text("utf-8")) if each]
    return live(*(each for each in found if each["kind"] in _BY_KIND)).resources


# What asks.


@dataclass(frozen=True, slots=True)
class Served:
    """One that serves, with all its processes."""

    pid: int
    port: int
    context: ssl.SSLContext

    def family(self) -> list[int]:
        """Its processes, itself first."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
        return [self.pid, *map(int, children.split())]

    def cpu(self) -> list[float]:
        """Seconds of CPU that each took so far."""
        read = (Path(f"/proc/{pid}/stat").read_text("ascii") for pid in self.family())
        fields = [text.rpartition(")")[2].split() for text in read]
        return [(int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK") for f in fields]

    def megabytes(self) -> list[float]:
        """Memory of each."""
        size = os.sysconf("SC_PAGE_SIZE") / 2**20
        read = (Path(f"/proc/{pid}/statm").read_text("ascii") for pid in self.family())
        return [int(text.split()[1]) * size for text in read]

    def files(self) -> int:
        """Open files of the one that answers."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        """Threads of the one that answers."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))


@asynccontextmanager
async def serving(kind: str) -> AsyncIterator[Served]:
    """A server that is ready, until the end of the block."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        (folder / "tls.crt").write_bytes(chain)
        (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
        context = ssl.create_default_context()
        authority.configure_trust(context)
        command = [sys.executable, __file__, "--serve", str(folder), kind]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            said = await asyncio.to_thread(process.stdout.readline)
            server = Served(process.pid, int(said.rsplit(maxsplit=1)[-1]), context)
            await ready(server)
            try:
                yield server
            finally:
                process.terminate()


async def ready(server: Served) -> None:
    """Wait until it judges, with all its processes."""
    probe = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
    while True:
        async with connected(server) as client:
            if (await client.ask(probe))[0] == 200 and len(server.family()) == 4:
                return
        await asyncio.sleep(0.2)


class Client:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.closed = False

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        # What is no HTTP is answered in the oldest version, which closes without saying so.
        self.closed = b"connection: close" in head or head.startswith(b"http/1.0")
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


@asynccontextmanager
async def connected(server: Served) -> AsyncIterator[Client]:
    """A new connection, until the end of the block."""
    streams = await asyncio.open_connection("127.0.0.1", server.port, ssl=server.context)
    client = Client(*streams)
    try:
        yield client
    finally:
        client.close()


_NUMBERS = itertools.count()


def pod(number: int, **changes: Any) -> dict[str, Any]:
    """A pod like any other of 3 KB, and unlike in its name."""
    container = {
        "name": "app",
        "image": f"registry.example.org/app:1.{number}",
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
            **changes,
        },
        "env": [{"name": f"SETTING_{n}", "value": "x" * 20} for n in range(12)],
        "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    metadata = {"name": f"pod-{number}", "namespace": "shop", "uid": f"u{number}"}
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container, {**container, "name": "side"}],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def sent(body: bytes, path: str = "/validate?timeout=10s") -> bytes:
    """A whole request."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def good() -> bytes:
    """A review of a pod that is right."""
    from tests.webhook.world import review

    return sent(review(pod(next(_NUMBERS))))


def unjudged() -> bytes:
    """One of the same size that no policy is asked about."""
    from tests.webhook.world import review

    return sent(review(pod(next(_NUMBERS)), "CONNECT", subResource="exec"))


async def hammer(server: Served, connections: int, count: int, made: Callable[[], bytes]) -> float:
    """Seconds that so many reviews take over all connections at once."""
    requests = iter([made() for _ in range(count)])

    async def go_on() -> None:
        while True:
            async with connected(server) as client:
                while not client.closed:
                    request = next(requests, None)
                    if request is None:
                        return
                    status, body = await client.ask(request)
                    assert status == 200, body

    began = perf_counter()
    await asyncio.gather(*(go_on() for _ in range(connections)))
    return perf_counter() - began


async def paced(server: Served, load: Load, made: Callable[[], bytes]) -> list[float]:
    """How long each took, in seconds, where they come at a constant rate for some seconds: forever
    where there was no answer in time.
    """
    free: asyncio.Queue[Client] = asyncio.Queue()
    took: list[float] = []

    async def one(request: bytes) -> None:
        client = await free.get()
        began = perf_counter()
        status, _ = await client.ask(request)
        took.append(perf_counter() - began if status == 200 else float("inf"))
        free.put_nowait(client)

    for _ in range(load.connections):
        streams = await asyncio.open_connection("127.0.0.1", server.port, ssl=server.context)
        free.put_nowait(Client(*streams))
    requests = [made() for _ in range(load.rate * PACED_SECONDS)]
    tasks = []
    start = perf_counter()
    for number, request in enumerate(requests):
        await asyncio.sleep(max(start + number / load.rate - perf_counter(), 0))
        tasks.append(asyncio.create_task(one(request)))
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()
    return sorted(took)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies."""
    return values[min(int(len(values) * share), len(values) - 1)]


def alone(kind: str, more: int) -> tuple[float, float, float]:
    """CPU milliseconds of one who judges in a cluster of so many workloads more: see the module."""
    from auditor.declared import Admission, Mode
    from auditor.webhook.evaluator import Evaluator
    from auditor.webhook.live import News
    from auditor.webhook.plan import Plan
    from tests.bench import SETTINGS, bench
    from tests.webhook.world import live, review

    plan = Plan(bench(*policies(kind)), SETTINGS, Admission(Mode.DENY))
    judging, other = Evaluator(plan), Evaluator(plan)
    objects = (*peapods(), *live(*(deployment(number) for number in range(more))).resources)
    memory, since = Memory(objects), -1
    took = [0.0, 0.0, 0.0]
    for number in range(REVIEWS + 5):
        feed = memory.feed(since)
        since = feed.revision
        began = process_time()
        judging.apply(News(feed))
        own = process_time()
        other.apply(News(feed))
        others = process_time()
        told = orjson.loads(judging.answer(review(pod(next(_NUMBERS))), judging.judged)[0])
        judged = process_time()
        note(memory, Ref(*told["admitted"]["ref"]), told["admitted"]["manifest"])
        if number >= 5:
            spent = (judged - others, own - began, others - own)
            took = [one + more for one, more in zip(took, spent, strict=True)]
    judge, own, others = (each / REVIEWS * 1e3 for each in took)
    return judge, own, others


def deployment(number: int) -> dict[str, Any]:
    """One of many."""
    labels = {"app": f"many-{number}"}
    metadata = {"name": f"many-{number}", "namespace": f"many-{number % 10}", "labels": labels}
    template = {"metadata": {"labels": labels}, "spec": pod(number)["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


async def report(kind: str, load: Load) -> None:
    """Measure, and print a row."""
    count, connections = load.count, load.connections
    async with serving(kind) as server:
        await hammer(server, connections, max(count // 10, 20), good)
        before = server.cpu()
        seconds = await hammer(server, connections, count, good)
        took = [after - was for after, was in zip(server.cpu(), before, strict=True)]
        micros = ", ".join(f"{each / count * 1e6:.0f}" for each in took)
        nothing = percentile(await paced(server, load, unjudged), 0.99)
        judged = percentile(await paced(server, load, good), 0.99)
        memory = ", ".join(f"{each:.0f}" for each in server.megabytes())
        print(
            f"{kind:>6}: {count / seconds:.0f} reviews/s, "
            f"{sum(took) / count * 1e6:.0f} CPU-µs each ({micros} by process), "
            f"p99 at {load.rate}/s {judged * 1e3:.1f} ms ({(judged - nothing) * 1e3:+.1f} added), "
            f"memory {memory} MB"
        )


# A long run.


def hostile(random: Random) -> bytes:
    """Something that nobody should send."""
    from tests.webhook.world import review

    good_one = review(pod(next(_NUMBERS)))
    choices = [
        sent(b"null"),
        sent(good_one[: random.randrange(len(good_one))] or b"{"),
        sent(good_one.replace(b'"IfNotPresent"', b"[" * 3000 + b"]" * 3000)),
        sent(review({"metadata": [], "spec": 5}, name="x")),
        sent(review(None, name="x")),
        sent(good_one.replace(b"SETTING_1", b"\xff\xfe")),
        sent(review(pod(next(_NUMBERS)) | {"x": [{} for _ in range(210_000)]})),
        sent(good_one, "/nowhere"),
        b"GARBAGE\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    return random.choice(choices)


def mixed(random: Random) -> Iterator[tuple[bytes, bool | None]]:
    """Requests, and what is to be answered: allowed or not, None where anything may."""
    from tests.webhook.world import review

    while True:
        if random.random() < HOSTILE_SHARE:
            yield hostile(random), None
            continue
        bad = random.random() < 0.3
        manifest = pod(random.randrange(500), privileged=bad)
        yield sent(review(manifest, dryRun=random.random() < 0.5)), not bad


@dataclass(slots=True)
class Soaked:
    """What a long run showed."""

    asked: int = 0
    wrong: int = 0
    sizes: tuple[tuple[float, float, int, int], ...] = ()
    """Memory of all and of the largest process, open files and threads, along the way."""

    @property
    def flat(self) -> bool:
        """Whether nothing grew from the middle to the end by more than a tenth."""
        middle, end = self.sizes[len(self.sizes) // 2], self.sizes[-1]
        return all(last <= first * 1.1 + 8 for first, last in zip(middle, end, strict=True))


async def soak(seconds: float, kind: str = "alone") -> Soaked:
    """Ask for so long."""
    found, random = Soaked(), Random(7)  # noqa: S311 - the same each time
    requests = mixed(random)
    async with serving(kind) as server:
        end = perf_counter() + seconds

        async def go_on() -> None:
            while perf_counter() < end:
                async with connected(server) as client:
                    while not client.closed and perf_counter() < end:
                        request, allowed = next(requests)
                        found.asked += 1
                        try:
                            status, body = await client.ask(request)
                        except (OSError, asyncio.IncompleteReadError):
                            found.wrong += allowed is not None  # what is hostile may be cut off
                            break
                        if allowed is not None and not _is_right(status, body, allowed=allowed):
                            found.wrong += 1

        async def look() -> None:
            for _ in range(20):
                await asyncio.sleep(seconds / 20)
                taken = server.megabytes()
                found.sizes += ((sum(taken), max(taken), server.files(), server.threads()),)

        await asyncio.gather(look(), *(go_on() for _ in range(8)))
    return found


def _is_right(status: int, body: bytes, *, allowed: bool) -> bool:
    return status == 200 and orjson.loads(body)["response"]["allowed"] is allowed


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "KIND"), help=argparse.SUPPRESS)
    parser.add_argument("--soak", type=float, metavar="SECONDS")
    given = parser.parse_args()
    if given.serve:
        serve(Path(given.serve[0]), given.serve[1])
    elif given.soak:
        found = asyncio.run(soak(given.soak))
        for size in found.sizes:
            print("{:.0f} MB, the largest {:.0f}, {} files, {} threads".format(*size), flush=True)
        print(f"{found.asked} asked, {found.wrong} wrong, {'flat' if found.flat else 'growing'}")
        sys.exit(0 if found.flat and not found.wrong else 1)
    else:
        for kind, more in itertools.product(LOADS, (0, 200)):
            told = "review {:.1f} ms, own admission {:.2f} ms, another's {:.2f} ms"
            print(f"{kind:>6}, {more:3} workloads more: {told.format(*alone(kind, more))}")
        for kind, load in LOADS.items():
            asyncio.run(report(kind, load))


if __name__ == "__main__":
    main()
