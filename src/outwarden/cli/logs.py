"""``outwarden logs``: who submitted what, and what became of it, per account."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.account_lines import account_lines
from outwarden.cli.log_options import failures_in_words, print_unknown, refuse_damage, screen, show_unknown, timezone
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import harmless_json, print_json

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.service.log_reading import LogReading, LogSource

_Answer = tuple[dict[str, Any] | None, Sequence[str]]


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--counts-only", is_flag=True, help="Count, and judge nothing: faster.")
@click.option(
    "--jobs", default=1, show_default=True, metavar="N", type=click.IntRange(min=1), help="Processes for --counts-only."
)
@click.option("--events", is_flag=True, help="Print what happened, one JSON line for each event.")
@timezone
@show_unknown
@click.pass_context
def logs(
    context: click.Context,
    files: tuple[str, ...],
    counts_only: bool,
    jobs: int,
    events: bool,
    zone: "tzinfo",
    show_unknown: bool,
) -> None:
    """Who submitted what, and what became of it, per account.

    FILE is a log, a folder of rotated logs, or - for standard input; compressed files are read as
    they are.  Postfix, Exim, Sendmail, OpenSMTPD, Exchange message tracking and the journal are
    told apart by their content.
    """
    if counts_only and (events or show_unknown):
        raise click.UsageError("--counts-only looks at no line closely: not with --events or --show-unknown.")
    from outwarden.service.log_reading import LogReading, log_sources

    with failures_in_words(), Progress(wanted=not (context.obj["quiet"] or events)) as progress:
        sources = log_sources(files)
        if counts_only:
            answer, damage = _counts(sources, zone, jobs, progress)
        else:
            reading = LogReading(sources, zone, progress, print_unknown if show_unknown else None)
            answer, damage = _events(reading) if events else _answer(reading)
    if answer is not None and context.obj["json"]:
        print_json(answer)
    elif answer is not None:
        click.echo("\n".join(account_lines(answer, screen(context.obj["verbose"]))))
    refuse_damage(damage)


def _counts(sources: "list[LogSource]", zone: "tzinfo", jobs: int, progress: Progress) -> _Answer:
    from outwarden.cli.documents import counts_document
    from outwarden.service.counting import count_accounts

    counting = count_accounts(sources, zone, jobs, progress)
    return counts_document(counting), counting.damage


def _events(reading: "LogReading") -> _Answer:
    """Print each event as it is read."""
    from outwarden.events import encode_event

    for events in reading.events():
        if events:
            click.echo("\n".join(harmless_json(encode_event(event)) for event in events))
    return None, reading.damage


def _answer(reading: "LogReading") -> _Answer:
    from outwarden.cli.documents import logs_document
    from outwarden.service.examine import examine

    return logs_document(examine(reading)), reading.damage
