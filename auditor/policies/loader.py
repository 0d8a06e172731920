"""Finds policies by their path and reads their METADATA, strictly, into ``Policy`` values.

METADATA is read here and not by an engine, so that every engine works and an error names file
and field. The comment block is the one of the OPA documentation ("Annotations").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from auditor.errors import PolicyError
from auditor.facts import FACTS
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.model import Parameter, Policy, Severity
from auditor.policies.ours import bundled
from auditor.policies.packages import line_of_package, package_for, package_of
from auditor.terms import PROFILE, PROFILES, Profile

HEADER = "# METADATA"
NAME = re.compile(r"[a-z][a-z0-9_]*(?:/[a-z][a-z0-9_]*)*")
KINDS = (
    *WORKLOAD_KINDS, "Namespace", "Node", "Service", "ServiceAccount", "ConfigMap", "Secret",
    "LimitRange", "ResourceQuota",
    "Ingress", "NetworkPolicy", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
)  # fmt: skip
"""Kinds that are often judged, to tell a typing error from a kind of somebody's own."""


class Declared(BaseModel):
    """A parameter of a policy."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: str = Field(min_length=1)
    default: str | list[str]


class Custom(BaseModel):
    """The part of METADATA that is ours."""

    model_config = ConfigDict(extra="forbid", strict=True)

    severity: Severity = Field(strict=False)
    profile: Literal[Profile, "optional"] = PROFILE
    contested: str = ""
    fix: Literal["deterministic", "generated", "manual", "none"]
    kinds: list[str] = Field(default_factory=lambda: list(WORKLOAD_KINDS), min_length=1)
    facts: list[str] = Field(default_factory=list)
    controls: list[str] = Field(default_factory=list)
    equivalents: list[str] = Field(default_factory=list)
    near: list[Annotated[str, Field(pattern=r"^[a-z][a-z-]*:[A-Za-z0-9_-]+$")]] = Field(
        default_factory=list
    )
    aliases: list[str] = Field(default_factory=list)
    since: int = Field(default=1, ge=1)
    preview: bool = False
    waivable: Literal["inline", "central"] = "inline"
    admission: Literal["any", "grace"] = "any"
    parameters: dict[str, Declared] = Field(default_factory=dict)
    mentions: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9./_-]+$")]] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _says_why_it_is_off(self) -> Custom:
        if (self.profile == "optional") != bool(self.contested.strip()):
            raise ValueError("'contested' says why, and only of a policy with 'profile: optional'")
        return self

    @model_validator(mode="after")
    def _is_not_both(self) -> Custom:
        if both := sorted(set(self.near) & set(self.equivalents)):
            raise ValueError(f"'near' is not the same: '{both[0]}' is in 'equivalents' as well")
        return self


class Metadata(BaseModel):
    """The METADATA block of a policy."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    custom: Custom
    related_resources: list[str] = Field(default_factory=list)


def load(*folders: Path) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """Every policy under `folders` (of none: the built-in ones), and their library modules as
    file name → Rego text.

    Raises:
        PolicyError: a file cannot be read, its METADATA or package is wrong, or two policies or
            two libraries have one name.
    """
    policies: list[Policy] = []
    library: dict[str, str] = {}
    for folder in dict.fromkeys(folders) or (bundled(),):
        found, modules = _load(folder)
        policies += found
        library |= modules
    _check_names(policies)
    _check_libraries(library)
    return tuple(policies), library


def _load(folder: Path) -> tuple[list[Policy], dict[str, str]]:
    policies, library = [], {}
    for file in sorted(folder.rglob("*.rego")):
        name = file.relative_to(folder).with_suffix("").as_posix()
        text = _read(file)
        if name.startswith("lib/"):
            _check_package(name.replace("/", "."), file, text)
            library[str(file)] = text
        elif not name.endswith("_test"):
            policies.append(_policy(name, file, text))
    if not policies:
        raise PolicyError(f"{folder}: no policy (.rego file) in this folder")
    return policies, library


def _check_names(policies: list[Policy]) -> None:
    """Waivers and --select go by name: each one means one policy.

    Raises:
        PolicyError: a name is taken.
    """
    owners: dict[str, Policy] = {}
    for policy in policies:
        owner = owners.setdefault(policy.id, policy)
        if owner is not policy:
            raise PolicyError(
                f"{policy.file}: '{policy.id}' is already the name of {owner.file}; "
                "give it another place (--no-builtin-policies leaves ours out)"
            )
    for policy in policies:
        for alias in policy.aliases:
            owner = owners.setdefault(alias, policy)
            if owner is not policy or alias == policy.id:
                raise PolicyError(
                    f"{policy.file}: METADATA custom.aliases: '{alias}' is already the name of "
                    f"{owner.file}"
                )


def _check_libraries(library: Mapping[str, str]) -> None:
    """Two modules of one package would become one, each changing what the other says.

    Raises:
        PolicyError: there are two.
    """
    owners: dict[str, str] = {}
    for file, text in library.items():
        owner = owners.setdefault(package_of(text), file)
        if owner != file:
            raise PolicyError(f"{file}: '{package_of(text)}' is already the package of {owner}")


def _read(file: Path) -> str:
    try:
        # Editors of some systems begin a file with a byte order mark; no engine reads it.
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{file}: cannot be read: {error}") from error


@lru_cache(maxsize=1024)
def _policy(name: str, file: Path, text: str) -> Policy:
    """Read once: who compares two sets, or serves, meets the same text again."""
    if not NAME.fullmatch(name):
        raise PolicyError(
            f"{file}: the place of a policy is its name: folders and files are of lower-case "
            "letters, digits and _, and begin with a letter"
        )
    metadata = _metadata(file, text)
    custom = metadata.custom
    _check_package(package_for(name), file, text)
    _check_facts(file, custom)
    _check_kinds(file, custom)
    return Policy(
        id=name,
        title=metadata.title,
        description=metadata.description.strip(),
        severity=custom.severity,
        profile=custom.profile,
        fix=custom.fix,
        kinds=tuple(custom.kinds),
        facts=tuple(custom.facts),
        controls=tuple(custom.controls),
        equivalents=tuple(custom.equivalents),
        near=tuple(custom.near),
        aliases=tuple(custom.aliases),
        since=custom.since,
        preview=custom.preview,
        inline=custom.waivable == "inline",
        grace=custom.admission == "grace",
        contested=custom.contested.strip(),
        parameters=tuple(
            Parameter(name, declared.description.strip(), declared.default)
            for name, declared in custom.parameters.items()
        ),
        mentions=tuple(sorted(custom.mentions)),
        links=tuple(metadata.related_resources),
        file=str(file),
        module=text,
    )


def _check_package(wanted: str, file: Path, text: str) -> None:
    if package_of(text) != wanted:
        why = f"the place of a policy is its name: expected 'package {wanted}'"
        raise PolicyError(f"{file}:{line_of_package(text)}: {why}")


def _check_facts(file: Path, custom: Custom) -> None:
    for fact in custom.facts:
        if fact not in FACTS:
            known = ", ".join(sorted(FACTS))
            raise PolicyError(f"{file}: METADATA custom.facts: no fact '{fact}' (there is {known})")
        if not set(custom.kinds) & set(FACTS[fact].kinds):
            told = FACTS[fact].kinds
            of = "workloads" if told == WORKLOAD_KINDS else ", ".join(told)
            why = f"the fact '{fact}' is told of {of} alone, and none of these kinds is one"
            raise PolicyError(f"{file}: METADATA custom.kinds: {why}")


def _check_kinds(file: Path, custom: Custom) -> None:
    for kind in custom.kinds:
        if kind in KINDS:
            continue
        close = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.85)
        if close or not re.fullmatch(r"[A-Z][A-Za-z0-9]*", kind):
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


class _Once(yaml.CSafeLoader):
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
    policies: tuple[Policy, ...],
    profile: str,
    select: tuple[str, ...],
    controls: frozenset[str],
    *,
    preview: bool = False,
) -> tuple[Policy, ...]:
    """The policies to ask: those selected by name or folder, else those of the frameworks'
    controls, else those of the profile. A preview is asked where `preview` says so, or by its name.

    Raises:
        PolicyError: a name in `select` fits no policy.
    """
    if select:
        named = dict.fromkeys(p for name in select for p in _named(policies, name))
        return tuple(p for p in named if preview or not p.preview or {*p.names} & {*select})
    policies = tuple(p for p in policies if preview or not p.preview)
    if controls:
        return tuple(p for p in policies if controls.intersection(p.controls))
    allowed = PROFILES[: PROFILES.index(profile) + 1]
    return tuple(p for p in policies if p.profile in allowed)


def _named(policies: tuple[Policy, ...], name: str) -> tuple[Policy, ...]:
    wanted = name.strip("/")
    found = tuple(
        p
        for p in policies
        if p.id == wanted
        or p.id.startswith(wanted + "/")
        or wanted in (*p.aliases, *p.equivalents, *p.near)
    )
    if not found:
        ids = [p.id for p in policies]
        words = [*dict.fromkeys(one.partition("/")[0] for one in ids), *ids]
        inside = [one for one in ids if wanted in one]
        inside.sort(key=lambda one: not one.partition("/")[2].startswith(wanted))
        close = inside or difflib.get_close_matches(wanted, words)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise PolicyError(f"no policy '{name}'{hint} ('auditor policies list' shows them)")
    return found
