"""What the verbs that read logs have in common: options, the screen, and how they fail."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, unicode_terminal

if TYPE_CHECKING:
    from datetime import tzinfo

_PIPE_WIDTH = 1_000


class Screen(NamedTuple):
    """Where the answer is shown; ``height`` is None where there is no end to it."""

    width: int
    height: int | None
    blocks: bool


def screen(verbose: bool) -> Screen:
    """Return the terminal's size; in a pipe nothing is wrapped or left out."""
    if not sys.stdout.isatty():
        return Screen(_PIPE_WIDTH, None, unicode_terminal())
    size = shutil.get_terminal_size()
    return Screen(max(size.columns, 60), None if verbose else size.lines, unicode_terminal())


def _zone(_context: click.Context, option: click.Parameter, name: str | None) -> "tzinfo":
    from outwarden.service.time_zone import UnknownZone, local_zone, named_zone

    if name is None:
        return local_zone()
    try:
        return named_zone(name)
    except UnknownZone as fault:
        raise click.BadParameter(str(fault), param=option) from fault


timezone = click.option(
    "--timezone",
    "zone",
    metavar="ZONE",
    callback=_zone,
    help="Zone of time stamps that name none (default: this machine's).",
)
show_unknown = click.option(
    "--show-unknown", is_flag=True, help="Print each line that was not understood to stderr (slow)."
)


def print_unknown(line: str) -> None:
    """Print a line that nobody knew what to make of, to stderr."""
    click.echo(f"not understood: {plain(line)}", err=True)


def now() -> datetime:
    """Return the clock's time, UTC."""
    return datetime.now(UTC)


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Turn what can be wrong with a log or a queue's listing into one line for the operator."""
    from outwarden.service.log_reading import NothingUnderstood
    from outwarden.sources.files import UnreadableLog

    try:
        yield
    except (UnreadableLog, NothingUnderstood) as fault:
        raise CouldNot(str(fault)) from fault


def refuse_damage(damage: Sequence[str]) -> None:
    """End in failure, after the answer was shown, where a part of the log could not be read."""
    if damage:
        raise CouldNot("; ".join(damage))
