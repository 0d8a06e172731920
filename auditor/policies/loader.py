"""Finds policies by their path and reads their METADATA, strictly, into ``Policy`` values.

METADATA is read here and not by an engine, so that every engine works and an error names file
and field. The comment block is the one of the OPA documentation ("Annotations").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from auditor.errors import PolicyError
from auditor.facts import FACTS
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.model import Policy, Severity

PROFILES = ("essential", "recommended", "strict")
HEADER = "# METADATA"
NAME = re.compile(r"[a-z][a-z0-9_]*(?:/[a-z][a-z0-9_]*)*")
KINDS = (
    *WORKLOAD_KINDS, "Namespace", "Node", "Service", "ServiceAccount", "ConfigMap", "Secret",
    "Ingress", "NetworkPolicy", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
)  # fmt: skip
"""Kinds that are often judged, to tell a typing error from a kind of somebody's own."""


class Custom(BaseModel):
    """The part of METADATA that is ours."""

    model_config = ConfigDict(extra="forbid", strict=True)

    severity: Literal["critical", "high", "medium", "low", "info"]
    profile: Literal["essential", "recommended", "strict", "optional"] = "recommended"
    contested: str = ""
    fix: Literal["deterministic", "generated", "manual", "none"]
    kinds: list[str] = Field(default_factory=lambda: list(WORKLOAD_KINDS), min_length=1)
    facts: list[str] = Field(default_factory=list)
    controls: list[str] = Field(default_factory=list)
    equivalents: list[str] = Field(default_factory=list)
    aliases: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_why_it_is_off(self) -> Custom:
        if (self.profile == "optional") != bool(self.contested.strip()):
            raise ValueError("'contested' says why, and only of a policy with 'profile: optional'")
        return self


class Metadata(BaseModel):
    """The METADATA block of a policy."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    custom: Custom
    related_resources: list[str] = Field(default_factory=list)


def bundled() -> Path:
    """The folder of our own policies: inside an installed wheel, else beside the package."""
    here = Path(__file__).parent
    inside = here / "bundle"
    return inside if inside.is_dir() else here.parents[1] / "policies"


def load(folder: Path | None = None) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """Every policy under `folder`, and its library modules as file name → Rego text.

    Raises:
        PolicyError: a file cannot be read, or its METADATA or package is wrong.
    """
    folder = folder or bundled()
    policies, library = [], {}
    for file in sorted(folder.rglob("*.rego")):
        name = file.relative_to(folder).with_suffix("").as_posix()
        text = _read(file)
        if name.startswith("lib/"):
            library[str(file)] = text
        elif not name.endswith("_test"):
            policies.append(_policy(name, file, text))
    if not policies:
        raise PolicyError(f"{folder}: no policy (.rego file) in this folder")
    _check_names(policies)
    return tuple(policies), library


def _check_names(policies: list[Policy]) -> None:
    """Waivers and --select go by name: each one means one policy.

    Raises:
        PolicyError: an alias is taken.
    """
    owners = {policy.id: policy for policy in policies}
    for policy in policies:
        for alias in policy.aliases:
            owner = owners.setdefault(alias, policy)
            if owner is not policy or alias == policy.id:
                raise PolicyError(
                    f"{policy.file}: METADATA custom.aliases: '{alias}' is already the name of "
                    f"{owner.file}"
                )


def _read(file: Path) -> str:
    try:
        # Editors of some systems begin a file with a byte order mark; no engine reads it.
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: cannot be read: {error}") from error


def _policy(name: str, file: Path, text: str) -> Policy:
    if not NAME.fullmatch(name):
        raise PolicyError(
            f"{file}: the place of a policy is its name: folders and files are of lower-case "
            "letters, digits and _, and begin with a letter"
        )
    metadata = _metadata(file, text)
    custom = metadata.custom
    _check_package(name, file, text)
    _check_facts(file, custom)
    _check_kinds(file, custom)
    return Policy(
        id=name,
        title=metadata.title,
        description=metadata.description.strip(),
        severity=Severity(custom.severity),
        profile=custom.profile,
        fix=custom.fix,
        kinds=tuple(custom.kinds),
        facts=tuple(custom.facts),
        controls=tuple(custom.controls),
        equivalents=tuple(custom.equivalents),
        aliases=tuple(custom.aliases),
        contested=custom.contested.strip(),
        links=tuple(metadata.related_resources),
        file=str(file),
        module=text,
    )


def _check_package(name: str, file: Path, text: str) -> None:
    wanted = "policies." + name.replace("/", ".")
    found = re.search(r"^package[ \t]+(\S+)", text, re.MULTILINE)
    if not found or found[1] != wanted:
        line = text.count("\n", 0, found.start()) + 1 if found else 1
        why = f"the place of a policy is its name: expected 'package {wanted}'"
        raise PolicyError(f"{file}:{line}: {why}")


def _check_facts(file: Path, custom: Custom) -> None:
    for fact in custom.facts:
        if fact not in FACTS:
            known = ", ".join(sorted(FACTS))
            raise PolicyError(f"{file}: METADATA custom.facts: no fact '{fact}' (there is {known})")
    if custom.facts and not set(custom.kinds) & set(WORKLOAD_KINDS):
        why = "facts are told of workloads alone, and none of these kinds is one"
        raise PolicyError(f"{file}: METADATA custom.kinds: {why}")


def _check_kinds(file: Path, custom: Custom) -> None:
    for kind in custom.kinds:
        close = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.85)
        if kind not in KINDS and (close or not re.fullmatch(r"[A-Z][A-Za-z0-9]*", kind)):
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise PolicyError(f"{file}: METADATA custom.kinds: no kind '{kind}'{hint}")


def _metadata(file: Path, text: str) -> Metadata:
    block = list(_block(text))
    if not block:
        raise PolicyError(f"{file}:1: the file must start with a '{HEADER}' comment block")
    try:
        return Metadata.model_validate(read_yaml("\n".join(block)))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise PolicyError(f"{file}: METADATA is no YAML: {said}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise PolicyError(f"{file}: METADATA {field}: {first['msg']}") from error


class _Once(yaml.SafeLoader):
    """Refuses a key that is written twice: the first one would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    None, None, f"'{key.value}' is written twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """The value of a YAML text in which every key is written once.

    Raises:
        yaml.YAMLError: it is none.
    """
    return yaml.load(text, Loader=_Once)  # noqa: S506 - it is a SafeLoader


def _block(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != HEADER:
        return
    for line in lines[1:]:
        if not line.startswith("#"):
            return
        yield line[2:] if line.startswith("# ") else line[1:]


def chosen(
    policies: tuple[Policy, ...], profile: str, select: tuple[str, ...], controls: frozenset[str]
) -> tuple[Policy, ...]:
    """The policies to ask: those selected by name or folder, else those of the frameworks'
    controls, else those of the profile.

    Raises:
        PolicyError: a name in `select` fits no policy.
    """
    if select:
        return tuple(dict.fromkeys(p for name in select for p in _named(policies, name)))
    if controls:
        return tuple(p for p in policies if controls.intersection(p.controls))
    allowed = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(p for p in policies if p.profile in allowed)


def _named(policies: tuple[Policy, ...], name: str) -> tuple[Policy, ...]:
    wanted = name.strip("/")
    found = tuple(
        p
        for p in policies
        if p.id == wanted or p.id.startswith(wanted + "/") or wanted in (*p.aliases, *p.equivalents)
    )
    if not found:
        close = difflib.get_close_matches(wanted, [p.id for p in policies], n=1, cutoff=0.4)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise PolicyError(f"no policy '{name}'{hint} ('auditor policies list' shows them)")
    return found
