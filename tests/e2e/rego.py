"""Asks the real OPA whether the policies are formatted, and compile under its strict rules.

``python -m tests.e2e.rego policies``. Without Go nothing can be asked: one line says so, and with
``CI=true`` that is a failure.
"""

import os
import shutil
import subprocess
import sys

from .build import OPA, BuildError, build, built, say

QUESTIONS = {
    "formatted": ("fmt", "--fail", "--diff"),
    # Catalogues of controls lie beside the policies, and are no data of theirs.
    "strict": ("check", "--strict", "--ignore", "*.yaml"),
}


def main(folders: list[str]) -> int:
    """0 where every answer is yes, or where nobody could be asked outside CI."""
    if built(OPA) is None and shutil.which("go") is None:
        say("left out: Rego is not checked by OPA, for there is no `go` here to build it")
        return 1 if os.environ.get("CI") == "true" else 0
    try:
        program = build(OPA)
    except BuildError as error:
        say(str(error))
        return 1
    return max(_ask(str(program), question, folders) for question in QUESTIONS.values())


def _ask(program: str, question: tuple[str, ...], folders: list[str]) -> int:
    done = subprocess.run([program, *question, *folders], check=False)
    if done.returncode:
        say(f"opa {' '.join(question)} says no")
    return min(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
