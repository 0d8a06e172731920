"""No policy of anybody reaches out of its input, however it writes that down."""

from __future__ import annotations

import pytest

from auditor.errors import PolicyError
from auditor.policies.engine import compile_policies
from auditor.policies.lint import lint
from auditor.policies.loader import load

CALLS = [
    'http.send({"method": "get", "url": "http://x"})',
    'http["send"]({"method": "get", "url": "http://x"})',
    'http . send({"method": "get", "url": "http://x"})',
    "http.\n\tsend({})",
    "opa.runtime()",
    'opa["runtime"]()',
    "opa[`runtime`]()",
    'net.lookup_ip_addr("x")',
    'rego.parse_module("x", "package x")',
    "time.now_ns()",
    'time["now_ns"]()',
    'uuid.rfc4122("x")',
    'rand.intn("x", 9)',
    'trace("x")',
    'print("x")',
    'crypto.sha256("x")',
    'json.match_schema({}, {"$ref": "http://x"})',
    "rego.metadata.rule()",
    "providers.aws.sign_req({}, {}, 1)",
    '$"{opa.runtime()}"',
    "something.new()",
    "unheard_of()",
]


@pytest.mark.parametrize("call", CALLS)
def test_what_reaches_out_is_refused(call: str) -> None:
    """Before an engine sees it, with file and line. Some of these would answer in an engine."""
    module = f"package policies.p\n\ndeny contains x if {{\n\tx := {call}\n}}\n"
    with pytest.raises(PolicyError, match=r"p\.rego:4: "):
        compile_policies("regorus", {"p.rego": module})


@pytest.mark.parametrize(
    "line",
    ["import data.lib.http", "import data.lib.other as opa", "import input.time"],
)
def test_no_import_takes_the_name_of_built_in_functions(line: str) -> None:
    """Whose function an engine would call then is anybody's guess."""
    with pytest.raises(PolicyError, match="built-in functions"):
        compile_policies(
            "regorus", {"p.rego": f"package policies.p\n\n{line}\n\ndeny contains 1\n"}
        )


def test_a_function_may_not_be_replaced_by_one_that_reaches_out() -> None:
    """`with` can put another function in the place of one."""
    module = "package policies.p\n\ndeny contains count([1]) with count as http.send\n"
    with pytest.raises(PolicyError, match=r"http\.send"):
        compile_policies("regorus", {"p.rego": module})


@pytest.mark.parametrize(
    "code",
    [
        'x := count(concat(",", ["opa.runtime()"]))',
        "x := own(1) # http.send()",
        "x := data.lib.help.with_it(1)",
        "x := help.with_it(1)",
        'x := object.get(input, "a", (1 + 2) * 3)',
        "x := 1\n\tnot (1 > 2)\n\tevery y in [1] { y > 0 }",
        'x := regex.replace("a", "b", "c")',
    ],
)
def test_what_stays_inside_is_fine(code: str) -> None:
    """Functions of one's own, those of libraries, and built-in ones that only reckon."""
    module = (
        "package policies.p\n\nimport data.lib.help\n\nown(x) := x\n\n"
        f"deny contains x if {{\n\t{code}\n}}\n"
    )
    library = "package lib.help\n\nwith_it(x) := x\n"
    compile_policies("regorus", {"p.rego": module, "lib/help.rego": library})


def test_our_own_policies_keep_to_it() -> None:
    """The same rule for all. They are not looked at again when they are compiled."""
    policies, library = load()
    for file, text in ({p.file: p.module for p in policies} | dict(library)).items():
        lint(file, text)
