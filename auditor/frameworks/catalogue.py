"""The catalogues of frameworks: which controls there are, in our words, and what looks at each.

A control says its policies, or what a person has to look at, or why nothing of it can be seen. One
without policies of its own has those that stand for a check by which others look at it, and any
that names it in its METADATA (``controls: [framework/control]``).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from auditor.errors import PolicyError
from auditor.model import About, Gap, Policy, Unseen
from auditor.policies.loader import read_yaml

FOLDER = Path(__file__).parent / "catalogues"
Component = Literal[
    "",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "etcd",
    "kubelet",
    "kube-proxy",
]
NODE = "needs the files of a node"
"""Why the flags of a component are not seen where its pod is not."""


class Control(BaseModel):
    """One demand of a framework."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: str = Field(min_length=1)
    """What it is about, in our words."""
    section: str = ""
    """A key of the framework's `sections`; empty where the id itself tells."""
    also: tuple[str, ...] = Field(default=(), strict=False)
    """Further sections that it belongs to."""
    level: Literal[1, 2] | None = None
    """The level of a CIS benchmark."""
    automated: bool = True
    """Whether the framework itself takes it for one that a program can look at."""
    elsewhere: tuple[str, ...] = Field(default=(), strict=False)
    """The checks by which other tools look at it, as in `equivalents` of a policy."""
    policies: tuple[str, ...] = Field(default=(), strict=False)
    """Those that look at it; after a space, a pattern of the anchors that are meant."""
    partly: str = ""
    """Which part of it they look at, where that is not all."""
    manual: str = ""
    """What a person has to look at."""
    unseen: str = ""
    """Why neither manifests nor the API server show it."""
    flags_of: Component = ""
    """The component whose flags say it: nothing is known where its pods are not seen."""
    personal_data: bool = False
    """Whether it is about personal data, so that it takes some that is declared."""
    since: int = 0
    """The first Kubernetes version that has it, as 100 × major + minor."""
    note: str = ""
    """What else there is to know."""

    @field_validator("since", mode="before")
    @classmethod
    def _version(cls, said: Any) -> int:
        match = re.fullmatch(r"1\.(\d{1,2})", str(said))
        if not isinstance(said, str) or not match:
            raise ValueError("a Kubernetes version as a text, like '1.34'")
        return 100 + int(match[1])

    @model_validator(mode="after")
    def _says_how_it_is_looked_at(self) -> Control:
        ways = sum(bool(one) for one in (self.policies, self.manual, self.unseen))
        if ways > 1 or (not ways and not self.flags_of):
            raise ValueError("exactly one of 'policies', 'manual', 'unseen' or 'flags_of' is said")
        if self.partly and not (self.policies or self.elsewhere):
            raise ValueError("'partly' is said of 'policies', or of those of 'elsewhere'")
        return self

    @property
    def anchors(self) -> Mapping[str, tuple[str, ...]]:
        """Policy → patterns: of the anchors of its findings, those that fit one are meant."""
        found: dict[str, tuple[str, ...]] = {}
        for one in self.policies:
            name, _, pattern = one.partition(" ")
            found[name] = (*found.get(name, ()), pattern.strip() or "*")
        return found


class Framework(BaseModel):
    """One catalogue."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str
    about: str = ""
    """Where numbers and titles come from."""
    extends: str = ""
    """Another catalogue, all of whose controls this one has, but for those that it says anew."""
    without: tuple[str, ...] = Field(default=(), strict=False)
    """Controls of that one that this one has not."""
    sections: dict[str, str] = Field(default_factory=dict)
    """Key → title, in their order."""
    controls: dict[str, Control] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_section_is_there(self) -> Framework:
        for name, control in self.controls.items():
            for section in (control.section, *control.also):
                if section and section not in self.sections:
                    raise ValueError(f"control {name}: no section '{section}'")
        return self

    def section_of(self, name: str) -> str:
        """The key of the section of a control: the longest that begins its id, where it says none;
        empty where there is none.
        """
        if said := self.controls[name].section:
            return said
        fitting = [key for key in self.sections if name.startswith(f"{key}.")]
        return max(fitting, key=len, default="")

    def at(self, kubernetes: int) -> Mapping[str, Control]:
        """The controls that it has for a Kubernetes version, in their order."""
        return {name: one for name, one in self.controls.items() if one.since <= kubernetes}


def names() -> tuple[str, ...]:
    """The ids of all frameworks, without reading any."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


def catalogue() -> Mapping[str, Framework]:
    """Every framework that we know, by id.

    Raises:
        PolicyError: a catalogue is wrong.
    """
    return {name: framework(name) for name in names()}


@cache
def framework(name: str) -> Framework:
    """The framework of this id.

    Raises:
        PolicyError: there is none, or its catalogue is wrong.
    """
    if name not in names():
        close = difflib.get_close_matches(name.lower(), names(), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise PolicyError(f"no framework '{name}'{hint} (there is {', '.join(names())})")
    file = FOLDER / f"{name}.yaml"
    found = read(file)
    if found.id != name:
        raise PolicyError(f"{file}: id '{found.id}' is not the name of the file")
    return _extended(found, file) if found.extends else found


def read(file: Path) -> Framework:
    """One catalogue, as its file has it.

    Raises:
        PolicyError: it is wrong.
    """
    try:
        return Framework.model_validate(read_yaml(file.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{file}: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise PolicyError(f"{file}: {field}: {first['msg']}") from error


def _extended(found: Framework, file: Path) -> Framework:
    base = framework(found.extends)
    unknown = [name for name in found.without if name not in base.controls]
    if unknown:
        raise PolicyError(f"{file}: without: {base.id} has no control '{unknown[0]}'")
    kept = {name: one for name, one in base.controls.items() if name not in found.without}
    controls = kept | found.controls
    if all(map(_NUMBER.fullmatch, controls)):
        controls = dict(sorted(controls.items(), key=lambda one: _number(one[0])))
    told = {"sections": base.sections | found.sections, "controls": controls}
    return found.model_copy(update=told)


_NUMBER = re.compile(r"\d+(\.\d+)*")


def _number(name: str) -> tuple[int, ...]:
    return tuple(map(int, name.split(".")))


def wanted_controls(frameworks: Sequence[str]) -> Mapping[str, str]:
    """The controls of these frameworks as ``framework/control`` → subject.

    Raises:
        PolicyError: a framework is not known.
    """
    return {
        f"{name}/{control}": one.title
        for name in frameworks
        for control, one in framework(name).controls.items()
    }


def looking_at(
    catalogue: Framework, control: str, policies: Iterable[Policy]
) -> tuple[Policy, ...]:
    """Those of the policies that look at a control of the framework."""
    one = catalogue.controls[control]
    full = f"{catalogue.id}/{control}"
    known = tuple(policies)
    named = [p for p in known if full in p.controls or not one.anchors.keys().isdisjoint(p.names)]
    return tuple(named or (p for p in known if not set(one.elsewhere).isdisjoint(p.equivalents)))


def linked(policies: Iterable[Policy], frameworks: Iterable[str]) -> tuple[Policy, ...]:
    """The policies, each with the controls of these frameworks that it looks at before others that
    it names: readers of a report take only the first.

    Raises:
        PolicyError: a framework is not known.
    """
    known = tuple(policies)
    found: dict[str, list[str]] = {policy.id: [] for policy in known}
    for name in frameworks:
        for control in framework(name).controls:
            for policy in looking_at(framework(name), control, known):
                found[policy.id].append(f"{name}/{control}")
    return tuple(
        replace(p, controls=tuple(dict.fromkeys([*found[p.id], *p.controls]))) for p in known
    )


def uncovered(controls: Mapping[str, str], policies: Iterable[Policy]) -> tuple[Gap, ...]:
    """A gap for each of the controls that none of the policies, as `linked`, looks at."""
    covered = {control for policy in policies for control in policy.controls}
    return tuple(_uncovered(name, controls[name]) for name in controls if name not in covered)


def _uncovered(name: str, subject: str) -> Gap:
    why = f"not assessed: {' '.join(_instead(*name.split('/', 1)))}"
    return Gap(f"control {name} ({subject})", why, Unseen.INCOMPLETE, about=About.CONTROL)


def _instead(name: str, control: str) -> Iterator[str]:
    one = framework(name).controls[control]
    if one.manual:
        yield f"left to a person: {one.manual}"
    else:
        yield one.unseen or (NODE if one.flags_of else "no policy covers it")
