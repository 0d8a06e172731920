"""Finds the addresses in what a container is told.

A word that happens to be the name of a Service is no address: a name alone counts where what it is
written under says so (``DB_HOST``, ``--server``), everywhere else only with a scheme, a port or a
namespace. And what is written under ``CORS_ALLOWED_ORIGINS`` is nobody whom the container asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from auditor.facts.configuration import Text
from auditor.values import dataclass

LONGEST = 2048
"""Characters of a word that may be an address; a name of DNS has no more than 253."""

_ADDRESS = re.compile(
    r"(?P<scheme>(?:[a-z][a-z0-9+.-]*:)+@?//)?(?:[^/\s]*@)?(?:tcp[(:])?"
    r"(?P<host>[a-z0-9.-]++)(?![^/\s]*@)(?::(?P<port>\d{1,5}))?\)?(?P<rest>[/?#:].*)?",
    re.IGNORECASE,
)
"""``scheme://user:password@host:port/path``, all but the host left out at will; also as Go's MySQL
driver (``user@tcp(host:port)/name``) and Oracle's JDBC driver (``…:@//host:port``) have it. Who
stands before an ``@`` is no host, though what follows it is none that is read (IPv6)."""

_NAMES_AN_ADDRESS = re.compile(
    r"(?:(?:^|[_.-]|(?<=[a-z0-9])(?=[A-Z]))(?i:hosts?|hostnames?|ur[il]s?|dsn|addr|addrs|address"
    r"|addresses|servers?|service|svc|endpoints?|brokers?|upstreams?|nodes|peers)"
    r"|^(?i:(?:pg|db|sql|mysql|mongo|redis|rabbit|mq|kafka|amqp|smtp)(?:host|hostaddr|addr|url|server)))$"
    r"|^-h$"
)
"""The last word of a key, set off by a separator or a capital letter: ``dbHost``, not ``GHOST``."""

_NAMES_ITSELF = re.compile(
    r"(?:^-*|(?:^|[_.-])(?:dd|datadog|otel|newrelic|new_relic|elastic_apm|my|own|self|this|app"
    r"|application|component)[_.-])service$|^hostname$|^(?:my|own|self|this|pod)[_.-]host(?:name)?$",
    re.IGNORECASE,
)
"""Keys under which a container is told its own name."""

_NAMES_NO_ADDRESS = re.compile(
    r"origins$|(?:allow(?:ed)?|trusted|cors)[a-z_.-]{0,20}origin$|(?:^|[_.-])cors(?:[_.-]|$)"
    r"|referr?ers?$|no[_.-]?proxy|non[_.-]?proxy[_.-]?hosts|allow(?:ed)?[_.-]?hosts?"
    r"|allow(?:ed)?[_.-]?urls?|allow[_.-]?list|audience|virtual[_.-]?hosts?$",
    re.IGNORECASE,
)
"""Keys of who may come, or of who is left alone: nobody is asked there."""

_QUOTES = "\"'[]"
_SPACES = re.compile(r"[\s,;|]+")
_MARKS = re.compile(r"[\s,;|\"'`<>\[\]]+")
"""What stands between the words of a file, in whatever format."""
_KEY = r"[A-Za-z0-9_./-]{1,253}"
_ENDS_KEY = r"(?:[\"']\s{0,9}[:=]|\s{0,9}=|\s{0,9}:(?=[\s\"'\[]|$))"
"""A colon after a key without quotes stands before a space, or it is part of ``host:port``."""
_ENTRY = re.compile(rf"\s*(?:-\s{{1,9}})?[\"']?(?P<key>{_KEY}){_ENDS_KEY}(?P<value>.*)", re.DOTALL)
"""A key and its value: YAML, JSON, properties, ini."""
_ENTRIES = re.compile(rf"[\n{{}}]|,(?=\s{{0,40}}[\"']?{_KEY}{_ENDS_KEY})")
"""What ends an entry of a file."""
_COMMENT = ("#", "//", ";", "--")


@dataclass(frozen=True, slots=True)
class Address:
    """A host that a container is told to ask."""

    host: str
    port: int | None
    scheme: str = ""
    """Before ``://``, in lower case, without what JDBC puts before it."""
    named: bool = False
    """Whether what it is written under says that it is an address."""


def is_ip(host: str) -> bool:
    """Whether it is an address of IPv4 or IPv6, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def addresses(text: Text) -> Iterator[Address]:
    """The addresses in `text`, as written. Costs a look at each word of it."""
    if text.file:
        yield from _in_file(text.value)
        return
    yield from _in_words(text.key, _SPACES.split(text.value))
    # A whole document as one variable: its entries have keys of their own.
    if "\n" in text.value or text.value.lstrip()[:1] in ("{", "["):
        yield from _in_file(text.value)


def _in_file(text: str) -> Iterator[Address]:
    for line in _ENTRIES.split(text):
        if not line or line.isspace() or line.lstrip().startswith(_COMMENT):
            continue
        entry = _ENTRY.fullmatch(line)
        key, value = (entry["key"], entry["value"]) if entry else ("", line)
        words = [word for word in _MARKS.split(value) if word]
        # Of a sentence under such a key, no word is an address by itself.
        alone = len(words) == 1 or bool(_NAMES_NO_ADDRESS.search(key))
        yield from _in_words(key if alone else "", words)


def _in_words(key: str, words: list[str]) -> Iterator[Address]:
    under_all = key
    for word in words:
        under, equals, value = word.partition("=")
        # libpq, ADO.NET and flags have host=name; in a URL the sign belongs to the query.
        if not equals or "/" in under or ":" in under:
            under, value = key, word
        address = _address(under, value.strip(_QUOTES))
        if address and not _NAMES_NO_ADDRESS.search(under_all):
            yield address
        key = word if word.startswith("-") else under_all


def _address(key: str, word: str) -> Address | None:
    match = _ADDRESS.fullmatch(word) if len(word) <= LONGEST else None
    if match is None or word.endswith(":") or _NAMES_NO_ADDRESS.search(key):
        return None
    port = int(match["port"]) if match["port"] else None
    certain = match["scheme"] or port is not None or "." in match["host"]
    named = _NAMES_AN_ADDRESS.search(key) and not _NAMES_ITSELF.search(key)
    if not certain and (match["rest"] or not named):
        return None
    scheme = _scheme(match["scheme"] or "")
    return Address(match["host"].lower(), port, scheme, named=bool(named))


def _scheme(written: str) -> str:
    """``jdbc:oracle:thin:@//`` → ``thin``."""
    return written.lower().rstrip("/").rstrip("@").rstrip(":").rpartition(":")[2]
