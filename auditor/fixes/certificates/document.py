"""A certificate as a file: what was shown of one fix, and all that is needed to show it again.

JSON; the keys stand below. It is read strictly, since it may come from anybody: what it says it
shows is only believed once `checking` has shown it again from its own state.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from auditor import __version__
from auditor.errors import AuditorError

FORMAT = "auditor-placement/1"
MOST_BYTES = 1 << 28


class CertificateError(AuditorError):
    """A file that is no certificate. Its text says which field and why."""

    exit_code = 2
    headline = "error"


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )


class StateDocument(_Strict):
    """The cluster before the fix."""

    digest: str
    objects: list[dict[str, Any]]
    live: list[int] = []
    """The places of those that were read from a cluster."""


class LevelDocument(_Strict):
    """What was shown on one level."""

    holds: bool | None
    means: str
    told: str
    details: dict[str, Any] = {}


class SettingsDocument(_Strict):
    """What the user declared, as far as it counts."""

    kubernetes: int = Field(ge=100, le=999)
    rack_label: str
    zone_label: str


class Document(_Strict):
    """The whole file."""

    format: str
    auditor: str = __version__
    policy: str
    object: str
    title: str
    settings: SettingsDocument
    edges: list[list[list[str]]] = []
    """Who asks whom: group, kind, namespace and name of each."""
    state: StateDocument
    changes: list[dict[str, Any]]
    """The objects of the fix, as it leaves them."""
    levels: dict[str, LevelDocument]


def written(document: Document) -> bytes:
    """The file; the same for the same document."""
    fields = document.model_dump(by_alias=True)
    return orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read(text: bytes, name: str) -> Document:
    """The document in a file of that name.

    Raises:
        CertificateError: it is none.
    """
    if len(text) > MOST_BYTES:
        raise CertificateError(f"{name}: has more than {MOST_BYTES >> 20} MiB")
    try:
        document = Document.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise CertificateError(f"{name}: is no JSON: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise CertificateError(f"{name}: {f'{field}: ' if field else ''}{first['msg']}") from error
    if document.format != FORMAT:
        raise CertificateError(f"{name}: its format is {document.format[:60]!r}, not {FORMAT!r}")
    return document
