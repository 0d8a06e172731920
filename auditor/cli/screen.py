"""Says things to the person at the keyboard. Nothing of what is said can act on the terminal."""

from __future__ import annotations

import click


def say(text: str, *, err: bool = False) -> None:
    """One line, with whatever a terminal would obey written as an escape: names of objects and
    files are somebody else's text. Nor does it say a credential.
    """
    from auditor.credentials import told
    from auditor.text import escaped

    click.echo(escaped(told(text)), err=err)
