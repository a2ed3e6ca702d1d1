"""``outwarden check``: is this server sending spam, who, since when, why, and what next.

The exit code is a monitor's: 0 no, 1 maybe, 2 yes, 3 for everything that is no answer.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.blocklists import asking_failures, catalogue_option, resolver_option
from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.log_options import (
    failures_in_words,
    now,
    print_unknown,
    refuse_damage,
    screen,
    show_unknown,
    timezone,
)
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import print_json
from outwarden.cli.settings_option import configuration

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.detection.queue_growth import QueueAssessment
    from outwarden.service.blocklists import Survey
    from outwarden.service.examine import Examination
    from outwarden.service.own_server import OwnServer


@click.command(epilog="Exit code: 0 no, 1 maybe, 2 yes, 3 could not tell or could not read.")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--queue", "queue_files", metavar="FILE", multiple=True, help="Queue listing, as for queue; repeatable.")
@click.option("--address", "addresses", metavar="IP", multiple=True, help="Ask blocklists about it, too; repeatable.")
@click.option("--domain", "domains", metavar="NAME", multiple=True, help="Ask blocklists about it, too; repeatable.")
@click.option("--ask-blocklists", is_flag=True, help="Ask them about the configured addresses and domains, too.")
@resolver_option
@catalogue_option
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write the answer as one page, too.")
@timezone
@show_unknown
@click.pass_context
def check(
    context: click.Context,
    files: tuple[str, ...],
    queue_files: tuple[str, ...],
    addresses: tuple[str, ...],
    domains: tuple[str, ...],
    ask_blocklists: bool,
    resolver: str | None,
    catalogue: Path | None,
    html: Path | None,
    zone: "tzinfo",
    show_unknown: bool,
) -> None:
    """Is this server sending spam?  Who, since when, why, and what to do next.

    FILE is a log, a folder of rotated logs, or - for standard input; compressed files are read as
    they are.  Without FILE the mail server, its logs and its queue are looked for on this machine.
    No name server is asked unless --address, --domain or --ask-blocklists wants the blocklists' word.
    """
    from outwarden.cli.verdict_words import EXIT_CODES
    from outwarden.service.examine import examine
    from outwarden.service.log_reading import LogReading

    survey = _survey(addresses, domains, ask_blocklists, resolver, catalogue, context.obj)
    with failures_in_words(), Progress(wanted=not context.obj["quiet"]) as progress:
        given = _what_to_read(files, zone)
        queue = _queue(queue_files, zone) if queue_files else given.queue
        reading = LogReading(given.sources, zone, progress, print_unknown if show_unknown else None)
        examination = examine(reading, queue, given.looked_at)
    if survey is not None:
        examination = _with_blocklists(examination, survey, context.obj)
    if html is not None:
        from outwarden.cli.output_file import write_whole
        from outwarden.cli.page import page

        write_whole(html, [page(examination)])
    _show(examination, context.obj)
    refuse_damage(examination.damage)
    context.exit(EXIT_CODES[examination.assessment.verdict])


def _survey(
    addresses: tuple[str, ...],
    domains: tuple[str, ...],
    ask_blocklists: bool,
    resolver: str | None,
    catalogue: Path | None,
    options: dict[str, Any],
) -> "Survey | None":
    if not (addresses or domains or ask_blocklists):
        return None
    from outwarden.dns.targets import TargetKind
    from outwarden.service.blocklists import Survey
    from outwarden.service.own_names import named

    settings = configuration(options)
    with asking_failures():
        own = named(settings) if ask_blocklists else ()
        survey = Survey((*addresses, *domains, *own), now(), settings, resolver=resolver, catalogue=catalogue)
    kinds = [target.kind for target in survey.targets]
    own_domains = len(settings.settings.site.domains) if ask_blocklists else 0
    if TargetKind.URL in kinds or kinds.count(TargetKind.DOMAIN) != len(domains) + own_domains:
        raise WrongArgument("--address takes an IP address, --domain the name of a domain; blocklists takes all else")
    return survey


def _with_blocklists(examination: "Examination", survey: "Survey", options: dict[str, Any]) -> "Examination":
    from msgspec.structs import replace

    from outwarden.cli.listing_history import known_periods
    from outwarden.detection.diagnosis import log_signs
    from outwarden.service.examine import with_blocklists

    for _answer in survey.answers():
        pass
    # The accused accounts have next steps of their own already.
    signs = replace(log_signs(examination.assessment), accused=())
    return with_blocklists(examination, survey.results(signs, known_periods(configuration(options))))


def _what_to_read(files: tuple[str, ...], zone: "tzinfo") -> "OwnServer":
    from outwarden.service.log_reading import log_sources
    from outwarden.service.own_server import NoMailServer, OwnServer, own_server

    if files:
        return OwnServer(log_sources(files), None, ())
    try:
        return own_server(now(), zone)
    except NoMailServer as fault:
        raise CouldNot(str(fault)) from fault


def _queue(names: tuple[str, ...], zone: "tzinfo") -> "QueueAssessment":
    from outwarden.service.examine import judge_queue
    from outwarden.sources.queue.reading import MalformedQueue

    try:
        return judge_queue([_listing(name) for name in names], zone)
    except MalformedQueue as fault:
        raise CouldNot(f"{', '.join(names)}: {fault}; save the queue with postqueue -j, exim -bp or mailq") from fault


def _listing(name: str) -> tuple[datetime, bytes]:
    """Return a listing and when it was written: ages are counted from then, which may be long ago."""
    try:
        at = now() if name == "-" else datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)
        with click.open_file(name, "rb") as file:
            return at, file.read()
    except OSError as fault:
        raise CouldNot(f"{name}: {fault.strerror}; save the queue with: postqueue -j > {name}") from fault


def _show(examination: "Examination", options: dict[str, Any]) -> None:
    if options["json"]:
        from outwarden.cli.documents import check_document

        print_json(check_document(examination))
        return
    from outwarden.cli.report import report, verdict_line

    if options["quiet"]:
        click.echo(verdict_line(examination.assessment))
    else:
        click.echo("\n".join(report(examination, screen(options["verbose"]))))
