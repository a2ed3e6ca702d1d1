"""``outwarden completion``: the script that teaches a shell to complete our verbs and options."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(epilog='For instance in ~/.bashrc: eval "$(outwarden completion bash)"')
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for bash, zsh or fish."""
    script = _SHELLS[shell](context.find_root().command, {}, "outwarden", "_OUTWARDEN_COMPLETE")
    click.echo(script.source())
