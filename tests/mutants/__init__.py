"""Policies with one thing changed: whatever changes their meaning has to turn a fixture red.

``python -m tests.mutants [POLICY…]`` makes them of the policies' own text, with the help of OPA's
parser, and judges the fixtures with each. Outside of the test suite, since there are thousands.
"""
