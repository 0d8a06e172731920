"""What a Rego module calls itself, and what a policy has to be called."""

from __future__ import annotations

import re

_PACKAGE = re.compile(r"^package[ \t]+(\S+)", re.MULTILINE)


def package_of(module: str) -> str:
    """The package that the text of a module says; empty where it says none."""
    found = _PACKAGE.search(module)
    return found[1] if found else ""


def line_of_package(module: str) -> int:
    """The line that says it, from 1; 1 where none does."""
    found = _PACKAGE.search(module)
    return module.count("\n", 0, found.start()) + 1 if found else 1


def is_library(module: str) -> bool:
    """Whether policies may import it."""
    return package_of(module).startswith("lib.")


def package_for(policy: str) -> str:
    """The package of the policy of this id: ``policies.workload.host_network``."""
    return "policies." + policy.replace("/", ".")
