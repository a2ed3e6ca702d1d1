"""``outwarden completion``: the script that teaches a shell to complete our verbs and options."""

import click
from click.shell_completion import get_completion_class


@click.command(epilog='For instance in ~/.bashrc: eval "$(outwarden completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for bash, zsh or fish."""
    kind = get_completion_class(shell)
    if kind is None:  # pragma: no cover (click knows all three)
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "outwarden", "_OUTWARDEN_COMPLETE").source())
