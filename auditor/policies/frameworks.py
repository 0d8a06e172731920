"""Catalogues of controls, and which of them a policy covers.

A control that no policy covers is never passed: asking for its framework makes it a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import PolicyError
from auditor.model import Gap, Policy, Unseen
from auditor.policies.loader import read_yaml
from auditor.policies.ours import bundled


class Framework(BaseModel):
    """One file of policies/frameworks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str
    title: str
    source: str
    controls: dict[str, str] = Field(min_length=1)
    """Control id → its subject, in our words."""


def catalogue() -> Mapping[str, Framework]:
    """Every framework we know, by id.

    Raises:
        PolicyError: a catalogue is wrong.
    """
    found = {}
    for file in sorted((bundled() / "frameworks").glob("*.yaml")):
        framework = read(file)
        if framework.id != file.stem:
            raise PolicyError(f"{file}: id '{framework.id}' is not the name of the file")
        found[framework.id] = framework
    return found


def read(file: Path) -> Framework:
    """One catalogue.

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


def wanted_controls(frameworks: Sequence[str]) -> Mapping[str, str]:
    """The controls of these frameworks as ``framework/control`` → subject.

    Raises:
        PolicyError: a framework is not known.
    """
    known = catalogue() if frameworks else {}
    found = {}
    for name in frameworks:
        if name not in known:
            raise PolicyError(f"no framework '{name}' (there is {', '.join(sorted(known))})")
        for control, subject in known[name].controls.items():
            found[f"{name}/{control}"] = subject
    return found


def uncovered(controls: Mapping[str, str], policies: Iterable[Policy]) -> tuple[Gap, ...]:
    """A gap for each of the controls that no policy covers."""
    covered = {control for policy in policies for control in policy.controls}
    return tuple(
        Gap(f"control {name} ({subject})", "not assessed: no policy covers it", Unseen.INCOMPLETE)
        for name, subject in controls.items()
        if name not in covered
    )
