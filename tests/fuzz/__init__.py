"""Coverage-guided fuzzing with atheris: ``python -m tests.fuzz TARGET [--seconds N]``.

Whatever bytes come in, the answer is findings and gaps: nothing breaks off, and nothing hides what
is written beside it. Outside of the test suite; `make fuzz` runs each target for a while.
"""
