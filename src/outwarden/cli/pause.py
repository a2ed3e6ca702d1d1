"""``outwarden pause``: stop what leaves, at once: the whole server, one account, one destination."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import (
    EXIT,
    account_option,
    destination_option,
    done_directly,
    dry_run_option,
    faults_in_words,
    mta_option,
    printed_only,
    reason_option,
    record,
    refuse_to_run,
    show_steps,
)
from outwarden.cli.asking import READING_SECONDS, ask_if_there
from outwarden.cli.failure import WrongArgument
from outwarden.cli.rendering import plain, print_json, stamp
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.service.control.records import ResponseRecord
    from outwarden.store.responses import Response

_SPAN = re.compile(r"(?:(\d{1,3})d)?(?:(\d{1,3})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?")
_LONGEST = timedelta(days=30)


@click.command(epilog=EXIT)
@account_option
@destination_option
@click.option("--for", "lasting", metavar="TIME", help="End by itself after so long: 30m, 2h, 1d12h.")
@reason_option
@click.option("--list", "listing", is_flag=True, help="Only show what is paused now.")
@mta_option
@dry_run_option
@click.pass_context
def pause(
    context: click.Context,
    account: str | None,
    destination: str | None,
    lasting: str | None,
    reason: str,
    listing: bool,
    mta: str | None,
    dry_run: bool,
) -> None:
    """Stop what leaves this mail server; mail is still accepted, and waits.

    Without --account or --destination the whole server.  It can be repeated; outwarden resume takes it back.
    """
    one_thing(account, destination)
    if listing:
        _show_standing(context.obj)
        return
    span = None if lasting is None else _span(lasting)
    if dry_run:
        _show_plan(account, destination, mta, context.obj)
        return
    refuse_to_run(mta)
    question = {
        "account": account,
        "destination": destination,
        "seconds": None if span is None else span.total_seconds(),
        "reason": reason,
        "mail_server": mta or "",
    }
    answer = ask_if_there(context.obj, "pause", question)
    if answer is None:
        _pause_directly(account, destination, question, context.obj)
    else:
        from msgspec import convert

        from outwarden.service.control.records import ResponseRecord

        _show(convert(answer, ResponseRecord), context.obj)


def one_thing(account: str | None, destination: str | None) -> None:
    """Raise where both were named."""
    if account is not None and destination is not None:
        raise WrongArgument("--account and --destination are two pauses; name one at a time")


def _pause_directly(
    account: str | None, destination: str | None, question: dict[str, Any], options: dict[str, Any]
) -> None:
    with faults_in_words():
        from outwarden.service.acting import somebody_resumes
        from outwarden.service.pausing import What

        What.of(account, destination)
        _show(done_directly(options, "pause", question), options)
    if question["seconds"] is not None and not somebody_resumes(Path(configuration(options).settings.store.path)):
        click.echo(
            "outwarden: nobody here will resume it: neither outwarden run is at work nor the timer outwarden-resume "
            "enabled; run outwarden resume --expired then",
            err=True,
        )


def _show(paused: "ResponseRecord", options: dict[str, Any]) -> None:
    if options["json"]:
        print_json(record(paused) | {"undo": undone_by(paused)})
        return
    click.echo(plain(f"paused: {standing_line(paused)}"))
    for remark in paused.remarks:
        click.echo(plain(f"  {remark}"))
    if not options["quiet"]:
        click.echo(plain(f"  undo: {undone_by(paused)}"))


def _show_plan(account: str | None, destination: str | None, mta: str | None, options: dict[str, Any]) -> None:
    with faults_in_words():
        from outwarden.service.mail_servers import mail_server, printed_pause
        from outwarden.service.pausing import What, steps_to_pause

        what = What.of(account, destination)
        if mta is not None and printed_only(mta):
            show_steps(mta, printed_pause(mta, what, undo=False), options)
            return
        settings = configuration(options).settings
        server = mail_server(settings.mail_server, mta or "")
        steps = steps_to_pause(server, standing(Path(settings.store.path)), what)
        show_steps(server.name, [step.words() for step in steps], options)


def _show_standing(options: dict[str, Any]) -> None:
    found = _pauses(options)
    for each in found:
        if options["json"]:
            print_json(record(each) | {"undo": undone_by(each)})
        else:
            state = "" if each.state == "done" else f"  [{each.state}]"
            click.echo(plain(f"{standing_line(each)}  since {stamp(each.since)}{state}  {each.reason}".rstrip()))
            click.echo(plain(f"  undo: {undone_by(each)}"))
    if not found and not options["json"]:
        click.echo("nothing is paused by Outwarden")


def _pauses(options: dict[str, Any]) -> "list[ResponseRecord]":
    answer = ask_if_there(options, "pause.list", {}, READING_SECONDS)
    if answer is not None:
        from msgspec import convert

        from outwarden.service.control.records import ResponseRecord

        return convert(answer, list[ResponseRecord])
    with faults_in_words():
        from outwarden.service.control.records import standing_record

        return [standing_record(each) for each in standing(Path(configuration(options).settings.store.path))]


def standing(path: Path) -> "list[Response]":
    """Return the pauses that stand; none where there is no store yet.  Raises ``StoreUnusable``."""
    from outwarden.store.store import Store

    if not store_is_there(path):
        return []
    with Store(path, read_only=True) as store:
        return store.responses.standing()


def store_is_there(path: Path) -> bool:
    """Return whether there is a store yet.  Raises ``StoreNotReachable`` where this user cannot tell."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as fault:
        raise StoreNotReachable(f"{path}: {fault.strerror}; only root and the service may read it") from None
    return True


def standing_line(response: "ResponseRecord") -> str:
    """Return what is paused and until when."""
    what = {
        "pause-server": "the whole server",
        "pause-account": f"account {response.subject}",
        "pause-destination": f"mail for {response.subject}",
    }[response.kind]
    end = "until resumed" if response.until is None else f"until {stamp(response.until)}"
    return f"{what}, {end} (response {response.response})"


def undone_by(response: "ResponseRecord") -> str:
    """Return the command that takes a pause back."""
    from shlex import quote

    options = {"pause-account": " --account ", "pause-destination": " --destination "}
    option = options.get(response.kind)
    return f"outwarden resume{option}{quote(response.subject)}" if option else "outwarden resume"


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None or not text:
        raise WrongArgument(f"--for {text!r}: name a time as 30m, 2h or 1d12h")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(0) < span <= _LONGEST:
        raise WrongArgument(f"--for {text!r}: longer than nothing, and {_LONGEST.days} days at most")
    return span
