"""The one form in which a command says that it could not do what it was asked."""

from typing import IO, Any

import click

from outwarden.cli.rendering import plain


class CouldNot(click.ClickException):
    """``outwarden: FILE: what is wrong; what to do`` on stderr; exit 1, or 3 for a monitored verb."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line to stderr, with nothing in it that could move the terminal."""
        click.echo(f"outwarden: {plain(self.message)}", file=file, err=file is None)


class WrongArgument(CouldNot):
    """The command line is wrong, told in the same one line; exit 2."""

    exit_code = 2
