"""``outwarden blocklists``: on which lists addresses, networks, domains and URLs are, and what that means."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.log_options import now, screen
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import BadConfiguration, configuration

if TYPE_CHECKING:
    from outwarden.detection.diagnosis import LogSigns, TargetListings
    from outwarden.service.blocklists import Survey

resolver_option = click.option(
    "--resolver", metavar="HOST[:PORT]", help="Ask this resolver, not the configured or the system's."
)
catalogue_option = click.option(
    "--catalogue",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Ask the lists of this file, not the usual ones.",
)


@click.command(epilog="Exit code: 0 asked, whatever was found; 1 could not ask; 2 usage; 5 no store; 78 configuration.")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@resolver_option
@catalogue_option
@click.option("--lists", metavar="ID,...", help="Ask these lists only.")
@click.option("--log", "logs", metavar="FILE", multiple=True, help="Join what this mail log says; repeatable.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write the answer as one page, too.")
@click.option("--history", is_flag=True, help="Ask nobody: show what outwarden run found, of each TARGET or of all.")
@click.pass_context
def blocklists(
    context: click.Context,
    targets: tuple[str, ...],
    resolver: str | None,
    catalogue: Path | None,
    lists: str | None,
    logs: tuple[str, ...],
    html: Path | None,
    history: bool,
) -> None:
    """On which blocklists is each TARGET, what does that mean, and what is to be done?

    TARGET is an IPv4 or IPv6 address, a network such as 192.0.2.0/24 (up to a /16), a domain, or a URL.
    """
    options = context.obj
    if history:
        if resolver or catalogue or lists or logs or html:
            raise WrongArgument("--history asks nobody and reads no log; it takes TARGETs and --json, no other option")
        from outwarden.cli.listing_history import show_history

        show_history(targets, options)
        return
    if not targets:
        raise click.UsageError("Missing argument 'TARGET...'.", context)
    _ask_and_show(targets, Wanted(resolver, catalogue, _ids(lists), logs, html), options)


class Wanted(NamedTuple):
    """What the command line says about how to ask, and about the page."""

    resolver: str | None
    catalogue: Path | None
    lists: list[str] | None
    logs: tuple[str, ...]
    html: Path | None


def _ask_and_show(targets: tuple[str, ...], wanted: Wanted, options: dict[str, Any]) -> None:
    from outwarden.cli.listing_history import known_periods
    from outwarden.service.blocklists import Survey

    settings = configuration(options)
    with asking_failures():
        survey = Survey(
            targets, now(), settings, resolver=wanted.resolver, catalogue=wanted.catalogue, lists=wanted.lists
        )
    before = known_periods(settings)
    signs = _log_signs(wanted.logs, options["quiet"])
    _ask(survey, options)
    found = survey.results(signs, before)
    if options["json"] and wanted.html is None:
        _refuse_silence(survey, _print_documents(found))
        return
    results = list(found)
    if wanted.html is not None:
        from outwarden.cli.blocklists_page import blocklists_page
        from outwarden.cli.output_file import write_whole

        write_whole(wanted.html, [blocklists_page(results, str(survey.resolver), now(), survey.resolver_fault)])
    _show(results, options)
    _refuse_silence(survey, results)


@contextmanager
def asking_failures() -> Iterator[None]:
    """Turn what is wrong with a target, list, resolver, catalogue or setting into one line for the operator."""
    from outwarden.service.blocklists import CannotAsk, WrongQuestion
    from outwarden.service.settings import ConfigurationError

    try:
        yield
    except WrongQuestion as fault:
        raise WrongArgument(str(fault)) from fault
    except CannotAsk as fault:
        raise CouldNot(str(fault)) from fault
    except ConfigurationError as fault:
        raise BadConfiguration(str(fault)) from fault


def _ids(lists: str | None) -> list[str] | None:
    if lists is None:
        return None
    ids = [name.strip().lower() for name in lists.split(",") if name.strip()]
    if not ids:
        raise WrongArgument("--lists names no list; separate ids by commas: --lists spamhaus-zen,spamcop")
    return ids


def _log_signs(logs: tuple[str, ...], quiet: bool) -> "LogSigns | None":
    if not logs:
        return None
    from outwarden.cli.log_options import failures_in_words
    from outwarden.detection.diagnosis import log_signs
    from outwarden.service.examine import examine
    from outwarden.service.log_reading import LogReading, log_sources
    from outwarden.service.time_zone import local_zone

    with failures_in_words(), Progress(wanted=not quiet) as progress:
        return log_signs(examine(LogReading(log_sources(logs), local_zone(), progress)).assessment)


def _ask(survey: "Survey", options: dict[str, Any]) -> None:
    """Ask, and show each answer as soon as it is in; of a network only the listings."""
    from outwarden.cli.listing_matrix import FEW_TARGETS
    from outwarden.cli.listing_words import answer_line
    from outwarden.events import ListAnswerKind

    few = len(survey) <= FEW_TARGETS
    width = max(len(target.text) for target in survey.targets) if few else 0
    shown = not options["quiet"] and not options["json"]
    with Progress(wanted=not options["quiet"] and not few, unit="answers") as progress:
        for answer in survey.answers(progress):
            if shown and (few or answer.answer is ListAnswerKind.LISTED):
                progress.clear()
                click.echo(answer_line(answer, width))


def _print_documents(results: "Iterable[TargetListings]") -> "Iterator[TargetListings]":
    from outwarden.cli.listing_words import listings_document

    for listings in results:
        print_json(listings_document(listings))
        yield listings


def _show(results: "list[TargetListings]", options: dict[str, Any]) -> None:
    from outwarden.cli.blocklists_report import report, sentences

    if options["json"]:
        list(_print_documents(results))
    elif options["quiet"]:
        click.echo("\n".join(sentences(results)))
    else:
        click.echo("\n".join(["", *report(results, options["verbose"], screen(options["verbose"]).width)]))


def _refuse_silence(survey: "Survey", results: "Iterable[TargetListings]") -> None:
    """Say what is wrong with the resolver; end in failure, after the answer, where no list at all could be asked."""
    from outwarden.events import ListAnswerKind

    believed = [any(answer.answer is not ListAnswerKind.COULD_NOT_ASK for answer in one.answers) for one in results]
    fault = survey.resolver_fault
    if not any(believed):
        raise CouldNot(
            fault
            or f"no list could be asked through the resolver {survey.resolver}; "
            "see whether it answers, or name another with --resolver HOST[:PORT]"
        )
    if fault is not None:
        click.echo(f"outwarden: {plain(fault)}", err=True)
