"""``outwarden logs``: who submitted what, and what became of it, per account."""

from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.account_lines import account_lines
from outwarden.cli.log_options import failures_in_words, print_unknown, refuse_damage, screen, show_unknown, timezone
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import harmless_json, print_json

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.service.examine import LogReading


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--counts-only", is_flag=True, help="Count, and judge nothing: faster.")
@click.option("--events", is_flag=True, help="Print what happened, one JSON line for each event.")
@timezone
@show_unknown
@click.pass_context
def logs(
    context: click.Context,
    files: tuple[str, ...],
    counts_only: bool,
    events: bool,
    zone: "tzinfo",
    show_unknown: bool,
) -> None:
    """Who submitted what, and what became of it, per account.

    FILE is a log, a folder of rotated logs, or - for standard input; compressed files are read as
    they are.  Postfix, Exim, Sendmail, OpenSMTPD, Exchange message tracking and the journal are
    told apart by their content.
    """
    if counts_only and events:
        raise click.UsageError("--counts-only and --events exclude each other.")
    from outwarden.service.examine import LogReading, log_sources

    with failures_in_words(), Progress(wanted=not (context.obj["quiet"] or events)) as progress:
        reading = LogReading(log_sources(files), zone, progress, print_unknown if show_unknown else None)
        if events:
            _print_events(reading)
            refuse_damage(reading.damage)
            return
        answer = _counts(reading) if counts_only else _answer(reading)
    if context.obj["json"]:
        print_json(answer)
    else:
        click.echo("\n".join(account_lines(answer, screen(context.obj["verbose"]))))
    refuse_damage(reading.damage)


def _counts(reading: "LogReading") -> dict[str, Any]:
    from outwarden.cli.documents import counts_document
    from outwarden.service.counting import count_accounts

    return counts_document(count_accounts(reading), reading.log.lines, reading.log.lines_not_understood)


def _answer(reading: "LogReading") -> dict[str, Any]:
    from outwarden.cli.documents import logs_document
    from outwarden.service.examine import examine

    return logs_document(examine(reading))


def _print_events(reading: "LogReading") -> None:
    from outwarden.events import encode_event

    for events in reading.events():
        if events:
            click.echo("\n".join(harmless_json(encode_event(event)) for event in events))
