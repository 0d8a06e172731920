"""`auditor completion`: what a shell needs to complete the command."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


HELP = """Print what makes SHELL complete verbs, options and their values.

\b
bash: source <(auditor completion bash), in ~/.bashrc
zsh:  source <(auditor completion zsh), in ~/.zshrc after compinit
fish: auditor completion fish > ~/.config/fish/completions/auditor.fish
"""


@click.command(short_help="Print the completion for a shell.", help=HELP)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> int:
    """What click makes for that shell."""
    from click.shell_completion import get_completion_class

    from auditor.cli.main import cli

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "auditor", "_AUDITOR_COMPLETE").source())
    return 0
