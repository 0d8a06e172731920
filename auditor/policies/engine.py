"""Evaluates Rego. The only module that knows which engine runs the policies.

Both engines answer the same protocol: compile modules once, then evaluate one entry point on one
input. An evaluation that fails is an error, never "no findings". One program belongs to one
process and one thread at a time.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import orjson

from auditor.errors import PolicyError
from auditor.policies.lint import lint
from auditor.policies.ours import is_ours
from auditor.policies.packages import is_library, package_of

RawFinding = Mapping[str, Any]


class EvaluationError(Exception):
    """A policy could not be evaluated on an input. Its text is the engine's, on one line."""


class PolicyEngine(Protocol):
    """Compiled policies, ready to be asked."""

    name: str
    version: str

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """What the rule `deny` of `package` says of the input `document` (JSON).

        Raises:
            EvaluationError: the engine could not tell.
        """

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """What each of several packages says of one input: the same as asking one by one, and
        for regorus four times faster.

        Raises:
            EvaluationError: the engine could not tell for one of them; which, asking one by one
                will show.
        """


def compile_policies(kind: str, modules: Mapping[str, str]) -> PolicyEngine:
    """A program of all `modules` (file name → Rego text) for the engine of that name. Ours are
    looked at by their tests.

    Raises:
        PolicyError: a module does not compile, or uses what one of the engines cannot do.
    """
    for file, text in modules.items():
        if not is_ours(file):
            lint(file, text)
    return EachThread(ENGINES[kind], modules)


def _one_line(error: BaseException) -> str:
    text = str(error).split("Stack backtrace", 1)[0]
    place = re.search(r"--> (\S+)", text)
    said = re.search(r"error: (.+)", text)
    if place and said:
        return f"{place[1]}: {said[1]}"
    return " ".join(text.split())


def _regopy_error(error: BaseException, file: str, text: str) -> str:
    """Where regopy says that a module is wrong: it counts bytes from the top of the file."""
    found = re.search(r"\|(\d+)\|\d+\s+\(errormsg \d+:([^()]*)\)", str(error))
    if not found:
        return f"{file}: {_one_line(error)}"
    line = text.encode()[: int(found[1])].count(b"\n") + 1
    return f"{file}:{line}: {found[2]}"


_NUMBERS = itertools.count()
_GONE: set[int] = set()
"""The numbers of those whose programs nobody can ask any more."""
_HERE = threading.local()


def _programs() -> dict[int, PolicyEngine]:
    """The programs of this thread, by number. Only here are they let go: the collector of garbage
    may run in any thread, and an engine of regorus must end in the thread that it began in.
    """
    programs: dict[int, PolicyEngine] = _HERE.__dict__.setdefault("programs", {})
    for number in _GONE.intersection(programs):
        del programs[number]
    return programs


class EachThread:
    """A program for each thread that asks: no engine may be shared between two, and that of
    regorus may not even be handed over. Compiling costs some milliseconds. To another process it
    goes as its modules, and is compiled there.
    """

    def __init__(
        self, make: Callable[[Mapping[str, str]], PolicyEngine], modules: Mapping[str, str]
    ) -> None:
        self._recipe = (make, modules)
        self._make: Callable[[], PolicyEngine] = partial(make, modules)
        self._number = next(_NUMBERS)
        weakref.finalize(self, _GONE.add, self._number)
        program = self._program()
        self.name, self.version = program.name, program.version

    def __reduce__(self) -> tuple[type[EachThread], tuple[Any, ...]]:
        return EachThread, self._recipe

    def _program(self) -> PolicyEngine:
        programs = _programs()
        program = programs.get(self._number)
        if program is None:
            program = programs[self._number] = self._make()
        return program

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine. An engine that broke down is thrown away."""
        with self._guarded(package):
            return self._program().evaluate(package, document)

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine. An engine that broke down is thrown away."""
        with self._guarded(", ".join(packages)):
            return self._program().evaluate_all(packages, document)

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        try:
            yield
        except (Exception, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # what Rust calls a panic is no Exception in Python
            _programs().pop(self._number, None)
            raise EvaluationError(f"{what}: the engine broke down: {_one_line(error)}") from error


class Regorus:
    """Microsoft's Rust engine, from the package gordon-to-regorus.

    It has an interpreter, which has the last word, and a virtual machine, which is three times as
    fast. Where a built-in is given what it cannot take, the machine goes on without a word where
    the interpreter complains: it is asked our own policies alone, which are tested to take
    anything, and the interpreter is asked whatever the machine stumbles over.
    """

    name = "regorus"

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.version = _version("gordon-to-regorus")
        self._modules = modules
        self._document: bytes | None = None
        self._groups: dict[tuple[str, ...], str] = {}
        self._machine = _Machine(modules)
        if not all(map(is_ours, modules)):
            _ = self._interpreter  # whoever wrote a module is told now what is wrong with it

    @cached_property
    def _interpreter(self) -> Any:
        """With all modules: it is seldom needed for ours, and takes as long as a small audit."""
        import regorus

        engine = regorus.Engine()
        for file, text in self._modules.items():
            try:
                engine.add_policy(file, text)
            except RuntimeError as error:
                raise PolicyError(_one_line(error)) from error
        return engine

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine."""
        return _as_list(self._asked(f"data.{package}.deny", document))

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine. A rule of its own joins them, made when they are first asked."""
        told = self._machine.answers(packages, document)
        rest = tuple(package for package in packages if package not in told)
        return {**told, **self._interpreted(rest, document)} if rest else told

    def _interpreted(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        if packages not in self._groups:
            name = f"auditor_group{len(self._groups)}"
            self._interpreter.add_policy(f"{name}.rego", _group(name, packages))
            self._groups[packages] = name
        answers = self._asked(f"data.{self._groups[packages]}.answers", document)
        return {package: _as_list(answers[package]) for package in packages}

    def _asked(self, rule: str, document: bytes) -> Any:
        try:
            if document is not self._document:  # many questions are asked about one object
                self._interpreter.set_input_json(document.decode())
                self._document = document
            return orjson.loads(self._interpreter.eval_rule_as_json(rule))
        except RuntimeError as error:
            raise EvaluationError(_one_line(error)) from error


class _Machine:
    """The virtual machine of regorus, asked our own policies."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._library = {f: text for f, text in modules.items() if is_library(text)}
        policies = {f: text for f, text in modules.items() if f not in self._library and is_ours(f)}
        self._ours = {package_of(text): (file, text) for file, text in policies.items()}
        self._programs: dict[tuple[str, ...], Any] = {}

    def answers(self, packages: tuple[str, ...], document: bytes) -> Mapping[str, list[RawFinding]]:
        """What those of the packages that are ours say; nothing where it cannot tell."""
        found: dict[str, list[RawFinding]] = {}
        for start in range(0, len(packages), _TOGETHER):
            found |= self._answered(packages[start : start + _TOGETHER], document)
        return found

    def _answered(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        if packages not in self._programs:
            self._programs[packages] = self._made(packages)
        if self._programs[packages] is None:
            return {}
        mine, machine = self._programs[packages]
        try:
            machine.set_input_json(document.decode())
            said = machine.execute_entry_point(f"data.{_GROUP}.answers")
        except RuntimeError as error:
            if _SPENT not in str(error) or len(packages) == 1:
                return {}
            half = len(packages) // 2
            return {
                **self._answered(packages[:half], document),
                **self._answered(packages[half:], document),
            }
        answers = orjson.loads(said)
        return {
            package: _as_list(answers[package])
            for package in mine
            if _UNDEFINED not in said or _UNDEFINED not in orjson.dumps(answers[package]).decode()
        }

    def _made(self, packages: tuple[str, ...]) -> tuple[tuple[str, ...], Any] | None:
        """The packages that are ours and a machine with one rule that joins them."""
        import regorus

        mine = tuple(package for package in packages if package in self._ours)
        if not mine:
            return None
        asked = dict(self._ours[package] for package in mine)
        modules = [*asked.items(), *_used("\n".join(asked.values()), self._library).items()]
        modules.append((f"{_GROUP}.rego", _group(_GROUP, mine)))
        machine = regorus.Rvm()
        try:
            entry = f"data.{_GROUP}.answers"
            machine.load_program(regorus.Program.compile_from_modules("{}", modules, [entry]))
        except RuntimeError:
            return None
        return mine, machine


_GROUP = "auditor_group"
_TOGETHER = 200
"""So many packages are joined by one rule: the machine has 255 registers for it."""
_SPENT = "maximum instruction limit"
"""What the machine says when one rule, joined of all packages, asks too much of it: it may do
25,000 steps at a time, which half of the packages may need as well, and one hardly.
"""
_UNDEFINED = '"<undefined>"'
"""What the machine puts in the place of a value that a rule leaves open."""


_LIBRARY = re.compile(r"\bdata\.(lib(?:\.\w+)+)")


class Regopy:
    """Microsoft's C++ engine, from the package regopy.

    Strict built-in errors are always on: without them a policy that uses what the engine lacks
    would answer "no findings". Each policy has an interpreter of its own, with the libraries that
    it names: what more one knows makes each question longer, and with all of it one has crashed.
    """

    name = "regopy"

    def __init__(self, modules: Mapping[str, str]) -> None:
        import regopy

        self.version = _version("regopy")
        self._error = regopy.RegoError
        library = {f: text for f, text in modules.items() if is_library(text)}
        self._interpreters = {
            package_of(text): self._interpreter({**_used(text, library), file: text})
            for file, text in modules.items()
            if file not in library
        }

    def _interpreter(self, modules: Mapping[str, str]) -> Any:
        import regopy

        interpreter = regopy.Interpreter()
        interpreter.strict_built_in_errors = True
        for file, text in modules.items():
            try:
                interpreter.add_module(file, text)
            except self._error as error:
                raise PolicyError(_regopy_error(error, file, text)) from error
        return interpreter

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine."""
        interpreter = self._interpreters.get(package)
        if interpreter is None:
            raise EvaluationError(f"{package}: there is no such package")
        try:
            # Anew for each question: a query uses its input up, and a second one would crash.
            interpreter.set_input_term(document.decode())
            said = str(interpreter.query(f"data.{package}.deny"))
            return _as_list(json.loads(said)["expressions"][0])
        except self._error as error:
            raise EvaluationError(_one_line(error)) from error
        except (ValueError, TypeError, LookupError) as error:
            # It gives no reason: <error> where a built-in failed, "undefined" without the rule,
            # or JSON that is none.
            raise EvaluationError(f"{package}: regopy gives no answer to use: {error}") from error

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine. One by one: joined, it would take longer."""
        return {package: self.evaluate(package, document) for package in packages}


class Both:
    """Asks both engines and demands that they agree."""

    name = "both"

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._first, self._second = Regorus(modules), Regopy(modules)
        self.version = f"regorus {self._first.version}, regopy {self._second.version}"

    def evaluate(self, package: str, document: bytes) -> list[RawFinding]:
        """See PolicyEngine.

        Raises:
            EvaluationError: one of them could not tell, or they differ.
        """
        first = self._first.evaluate(package, document)
        if first != self._second.evaluate(package, document):
            raise EvaluationError(f"{package}: regorus and regopy give different answers")
        return first

    def evaluate_all(
        self, packages: tuple[str, ...], document: bytes
    ) -> Mapping[str, list[RawFinding]]:
        """See PolicyEngine."""
        return {package: self.evaluate(package, document) for package in packages}


def _used(text: str, library: Mapping[str, str]) -> Mapping[str, str]:
    """The modules of the library that a module names, and those that they name."""
    by_package = {package_of(module): file for file, module in library.items()}
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in dict.fromkeys(_LIBRARY.findall(waiting.pop())):
            for package, file in by_package.items():
                if file not in found and f"{name}.".startswith(f"{package}."):
                    found[file] = library[file]
                    waiting.append(library[file])
    return found


def _group(name: str, packages: tuple[str, ...]) -> str:
    rows = ",\n".join(f'"{package}": data.{package}.deny' for package in packages)
    return f"package {name}\n\nanswers := {{\n{rows}\n}}\n"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"


def _as_list(answer: Any) -> list[RawFinding]:
    """A set of objects in a fixed order: engines differ in how they print sets."""
    if answer == []:
        return []
    try:
        if isinstance(answer, dict):
            answer = [orjson.loads(key) for key in answer]
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise EvaluationError("'deny' must be a set of objects")
        return sorted(answer, key=lambda one: orjson.dumps(one, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONDecodeError as error:
        raise EvaluationError("'deny' must be a set of objects") from error
    except TypeError as error:
        raise EvaluationError(f"'deny' holds what JSON cannot carry: {error}") from error


ENGINES: Mapping[str, Callable[[Mapping[str, str]], PolicyEngine]] = {
    "regorus": Regorus,
    "regopy": Regopy,
    "both": Both,
}
