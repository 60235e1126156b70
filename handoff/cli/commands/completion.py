"""``handoff completion``: the script that completes commands in a shell."""

from __future__ import annotations

import click

from handoff.cli.grouped_help import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes commands, options, procedures, measures and scenario keys in a SHELL.

    Examples:
    \b
        handoff completion bash > ~/.local/share/bash-completion/completions/handoff
        handoff completion zsh > ~/.zfunc/_handoff
        handoff completion fish > ~/.config/fish/completions/handoff.fish
    """
    from handoff.cli.completion import completion_script
    from handoff.cli.terminal import show

    show(completion_script(shell))
