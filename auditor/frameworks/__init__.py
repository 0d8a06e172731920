"""Catalogues of controls that people are audited against, and what an audit is evidence of.

`catalogue` reads the catalogues, one file each in `catalogues/`; `assessment` says of each control
whether it is passed, failed, waived, left to a person, or not assessed, and why.
"""
