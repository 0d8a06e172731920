"""Reads `.trivyignore` and `.trivyignore.yaml`, where the waivers of Trivy are to be honoured.

The form: https://trivy.dev/docs/latest/configuration/filtering/.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.declared import TRIVY_PLAIN, TRIVY_STRUCTURED, Ignored
from auditor.errors import ConfigError
from auditor.policies.loader import read_yaml
from auditor.policies.statements import is_date


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    paths: list[str] = []
    statement: str = ""
    expired_at: datetime.date | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    misconfigurations: list[_Entry] = Field(default_factory=list)


def trivy_ignores(read: Callable[[str], str | None], where: str) -> tuple[Ignored, ...]:
    """What is to be ignored; `read` gives the text of a file by its name, None if there is none.

    Raises:
        ConfigError: one of the files has not its form.
    """
    found: list[Ignored] = []
    for name, parse in ((TRIVY_PLAIN, _plain), (TRIVY_STRUCTURED, _structured)):
        text = read(name)
        if text is not None:
            found += parse(text, f"{where}/{name}" if where else name)
    return tuple(found)


def _plain(text: str, file: str) -> Iterator[Ignored]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        place = f"{file}:{number}"
        until = next((w.removeprefix("exp:") for w in words[1:] if w.startswith("exp:")), "")
        if until and not is_date(until):
            raise ConfigError(f"{place}: 'exp:{until}' is no date like 2027-01-31")
        yield Ignored("trivy", check_id(words[0]), f"ignored for Trivy ({file})", until, (), place)


def _structured(text: str, file: str) -> Iterator[Ignored]:
    try:
        entries = _File.model_validate(read_yaml(text) or {}).misconfigurations
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise ConfigError(f"{file}: {' '.join(str(error).split())}") from error
    for entry in entries:
        until = entry.expired_at.isoformat() if entry.expired_at else ""
        reason = entry.statement.strip() or f"ignored for Trivy ({file})"
        yield Ignored("trivy", check_id(entry.id), reason, until, tuple(entry.paths), file)


def check_id(written: str) -> str:
    """``AVD-KSV-0017`` and ``KSV017`` → ``KSV-0017``, as METADATA has it."""
    found = re.fullmatch(r"(?:AVD-)?KSV-?0*(\d+)", written)
    return f"KSV-{int(found[1]):04}" if found else written
