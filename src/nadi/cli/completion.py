"""`nadi completion`: the script that makes a shell complete commands, options and run names."""

from __future__ import annotations

import click

from nadi.cli.output import say

_EXAMPLES = """\b
Examples:
  nadi completion bash >> ~/.bashrc
  nadi completion zsh >> ~/.zshrc
  nadi completion fish > ~/.config/fish/completions/nadi.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands and run names."""
    # Loads click's completion module, which nothing else needs.
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    say(kind(ctx.find_root().command, {}, "nadi", "_NADI_COMPLETE").source().rstrip())
