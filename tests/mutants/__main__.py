"""Judges the fixtures with every mutant: ``python -m tests.mutants [POLICY, FOLDER, lib/NAME]``."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from auditor.errors import PolicyError
from auditor.fixes.patch import CannotEditError
from auditor.model import Policy
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.policies.ours import bundled
from tests.e2e.build import OPA, build
from tests.policy_fixtures import Bundle, faults

from .mutate import Mutant, lists, mutants, without_list
from .opa import Opa

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "policies"
LISTED = Path(__file__).with_name("equivalent.yaml")
WORKLOAD = "lib/workload"
_NOTICED: dict[str, Counter[str]] = {}
"""Module → how many of its mutants the fixtures of each policy noticed in this process."""
_IMPORT = re.compile(r"\bdata\.lib\.(\w+)")


@dataclass(frozen=True, slots=True)
class Question:
    """A mutant, and the policies of which one has to notice it."""

    module: str
    mutant: Mutant
    policies: tuple[str, ...]

    @property
    def said(self) -> str:
        """How it is listed among the equivalent ones."""
        return f"{self.module}: {self.mutant.what}"


@cache
def _loaded() -> tuple[Mapping[str, Policy], Mapping[str, str]]:
    policies, library = load()
    return {policy.id: policy for policy in policies}, library


def _name(file: str) -> str:
    return Path(file).relative_to(bundled()).with_suffix("").as_posix()


def _reach(text: str) -> frozenset[str]:
    """The library modules that a module imports, and those that they import."""
    _, library = _loaded()
    texts = {_name(file): module for file, module in library.items()}
    found: set[str] = set()
    waiting = [text]
    while waiting:
        named = {f"lib/{name}" for name in _IMPORT.findall(waiting.pop())}
        waiting += [texts[name] for name in named - found]
        found |= named
    return frozenset(found)


def questions(wanted: Sequence[str]) -> Iterator[Question]:
    """Every mutant of the modules that are wanted: each by its path below ``policies``, or by that
    of its folder; of all where none is named.

    Raises:
        SystemExit: there is no such module, so that nothing would be asked.
    """
    policies, library = _loaded()
    opa = build(OPA)
    known = [*policies, *map(_name, library)]
    unknown = [one for one in wanted if not any(_is_wanted(name, [one]) for name in known)]
    if unknown:
        sys.exit(f"no policy and no folder of policies: {', '.join(unknown)}")
    for policy in policies.values():
        if _is_wanted(policy.id, wanted):
            for mutant in mutants(Path(policy.file), policy.module, opa):
                yield Question(policy.id, mutant, (policy.id,))
            if WORKLOAD in _reach(policy.module):
                yield from _blind(policy, library)
    for file, text in library.items():
        name = _name(file)
        users = tuple(p.id for p in policies.values() if name in _reach(p.module))
        if _is_wanted(name, wanted):
            for mutant in mutants(Path(file), text, opa):
                yield Question(name, mutant, users)


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return not wanted or any(f"{name}/".startswith(f"{one.rstrip('/')}/") for one in wanted)


def _blind(policy: Policy, library: Mapping[str, str]) -> Iterator[Question]:
    """The policy without a list of containers; where it reads containers at all."""
    file = next(file for file in library if _name(file) == WORKLOAD)
    everything = without_list(Path(file), library[file], "*")
    if survives(Question(policy.id, everything, (policy.id,))):
        return
    for name in lists():
        mutant = without_list(Path(file), library[file], name)
        yield Question(policy.id, mutant, (policy.id,))


def survives(question: Question) -> bool:
    """Whether all fixtures are as green with the mutant as without, also to OPA. A mutant that no
    engine compiles is none. Who noticed the most of a library so far is asked first.
    """
    noticed = _NOTICED.setdefault(question.module, Counter())
    names = sorted(question.policies, key=lambda name: -noticed[name])
    for kind in ("regorus", "opa"):
        for name in names:
            if _is_noticed(question.mutant, name, kind):
                noticed[name] += 1
                return False
    return True


def _is_red(name: str) -> bool:
    policy = _loaded()[0][name]
    return _is_noticed(Mutant(policy.file, 1, "nothing", policy.module), name, "regorus")


def _is_noticed(mutant: Mutant, name: str, kind: str) -> bool:
    policies, library = _loaded()
    policy = policies[name]
    reached = _reach(policy.module)
    libraries = {file: text for file, text in library.items() if _name(file) in reached}
    modules = {policy.file: policy.module, **libraries, mutant.file: mutant.text}
    try:
        engine = Opa(build(OPA), modules) if kind == "opa" else compile_policies(kind, modules)
        changed = replace(policy, module=modules[policy.file])
        return bool(next(faults(Bundle(changed, engine, FIXTURES / name)), ""))
    except (PolicyError, CannotEditError):
        return True


def main(wanted: Sequence[str]) -> int:
    """0 where every mutant is noticed, or is listed as one that means the same."""
    asked = list(questions(wanted))
    names = sorted({name for question in asked for name in question.policies})
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        red = [name for name, is_red in zip(names, pool.map(_is_red, names), strict=True) if is_red]
        if red:
            _say(f"red without any change, so that nothing is noticed: {', '.join(red)}")
            return 1
        lives = pool.map(survives, asked, chunksize=8)
        alive = [question for question, alive in zip(asked, lives, strict=True) if alive]
    listed: Mapping[str, str] = yaml.safe_load(LISTED.read_text("utf-8")) or {}
    new = [question for question in alive if question.said not in listed]
    for question in new:
        _say(f"{_name(question.mutant.file)}.rego:{question.mutant.line}: {question.said}")
    modules = {question.module for question in asked}
    idle = sorted(_idle(listed, alive, modules))
    for said in idle:
        _say(f"listed as equivalent, and noticed or gone: {said}")
    _say(
        f"{len(asked)} mutants of {len(modules)} modules: {len(asked) - len(alive)} noticed, "
        f"{len(alive) - len(new)} mean the same, {len(new)} not noticed"
    )
    return 1 if new or idle else 0


def _idle(listed: Iterable[str], alive: list[Question], modules: set[str]) -> Iterator[str]:
    living = {question.said for question in alive}
    for said in listed:
        if said.partition(":")[0] in modules and said not in living:
            yield said


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
