"""Reads the CEL forms of policies: ``<policy>.cel.yaml`` beside ``<policy>.rego``.

A form says of one object what its Rego says of it, and nothing of where or how it is mended::

    let:                                # names of this form; those of lib/*.cel.yaml are known too
      loud: "['ALL', 'SYS_ADMIN']"
    deny:                               # as the rules `deny` of the Rego; the list of all they find
      - for: [container in containers, name in container.security.?capabilities.?add.orValue([])]
        when: name in loud
        anchor: container.name + '/' + name
        since: 122                      # asked from this Kubernetes version on; until, likewise

Or it says why there is none: ``inexpressible: it needs …``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import PolicyError
from auditor.model import Policy
from auditor.policies.loader import read_yaml
from auditor.policies.ours import bundled
from auditor.values import dataclass

ENDING = ".cel.yaml"
LOOP = re.compile(r"([a-z_][a-z0-9_]*) in (\S.*)", re.DOTALL)

Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Loop:
    """Each of a list (or each key of a mapping) under a name."""

    name: str
    items: str
    """A CEL expression."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule finds: an anchor for each turn of its loops in which the condition holds."""

    loops: tuple[Loop, ...]
    when: str
    anchor: str
    """CEL: what the finding is called among those of its policy on this object."""
    since: int
    until: int

    def holds_at(self, kubernetes: int) -> bool:
        """Whether it is asked for that version."""
        return self.since <= kubernetes <= self.until


@dataclass(frozen=True, slots=True)
class Form:
    """What a policy finds, as CEL; or why that cannot be said."""

    file: str
    rules: tuple[Rule, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    inexpressible: str = ""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    loops: list[Text] = Field(default_factory=list, alias="for")
    when: Text
    anchor: Text = "''"
    since: int = Field(default=100, ge=100, le=199)
    until: int = Field(default=199, ge=100, le=199)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    let: dict[str, Text] = Field(default_factory=dict)
    deny: list[_Rule] = Field(default_factory=list)
    inexpressible: str = ""


class Forms:
    """The forms of policies, and the definitions that they share: those of ``lib/`` in the
    folders of the policies and in our own.
    """

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._folders = dict.fromkeys((bundled(), *map(_folder, policies)))

    def of(self, policy: Policy) -> Form | None:
        """The form of a policy, None where it has none.

        Raises:
            PolicyError: the file is no form; its text names file and field.
        """
        file = Path(policy.file).with_suffix(ENDING)
        if not file.is_file():
            return None
        read = _read(file)
        if bool(read.deny) == bool(read.inexpressible.strip()):
            raise PolicyError(f"{file}: a form has either 'deny' or 'inexpressible'")
        rules = tuple(_rule(file, number, rule) for number, rule in enumerate(read.deny))
        known = self.shared | read.let
        if len(known) < len(self.shared) + len(read.let):
            twice = ", ".join(sorted(self.shared.keys() & read.let))
            raise PolicyError(f"{file}: let: defined in lib/ already: {twice}")
        return Form(str(file), rules, known, read.inexpressible.strip())

    @cached_property
    def shared(self) -> dict[str, str]:
        """Name → CEL of what every form may use."""
        found: dict[str, str] = {}
        for folder in self._folders:
            for file in sorted((folder / "lib").rglob(f"*{ENDING}")):
                read = _read(file)
                if twice := found.keys() & read.let:
                    raise PolicyError(f"{file}: let: defined twice: {', '.join(sorted(twice))}")
                found |= read.let
        return found


def _folder(policy: Policy) -> Path:
    return Path(policy.file).parents[policy.id.count("/")]


def _read(file: Path) -> _File:
    try:
        return _File.model_validate(read_yaml(file.read_text(encoding="utf-8-sig")) or {})
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{file}: is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "(top)"
        raise PolicyError(f"{file}: {place}: {first['msg']}") from error


def _rule(file: Path, number: int, read: _Rule) -> Rule:
    loops = []
    for text in read.loops:
        match = LOOP.fullmatch(text.strip())
        if not match:
            raise PolicyError(f"{file}: deny.{number}.for: '{text}' is not 'NAME in LIST'")
        loops.append(Loop(match[1], match[2].strip()))
    return Rule(tuple(loops), read.when.strip(), read.anchor.strip(), read.since, read.until)
