"""``outwarden pause``: stop what leaves, at once: the whole server, one account, one destination."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import (
    EXIT,
    account_option,
    asked_by,
    destination_option,
    dry_run_option,
    faults_in_words,
    mta_option,
    now,
    printed_only,
    reason_option,
    record,
    refuse_to_run,
    show_steps,
)
from outwarden.cli.failure import WrongArgument
from outwarden.cli.rendering import plain, print_json, stamp
from outwarden.cli.settings_option import StoreNotReachable, configuration

if TYPE_CHECKING:
    from outwarden.service.pausing import What
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
    with faults_in_words():
        from outwarden.service.pausing import What

        what = What.of(account, destination)
        if dry_run:
            _show_plan(what, mta, context.obj)
            return
        refuse_to_run(mta)
        _pause(what, reason, span, mta, context.obj)


def one_thing(account: str | None, destination: str | None) -> None:
    """Raise where both were named."""
    if account is not None and destination is not None:
        raise WrongArgument("--account and --destination are two pauses; name one at a time")


def _pause(what: "What", reason: str, span: timedelta | None, mta: str | None, options: dict[str, Any]) -> None:
    from outwarden.service.acting import must_be_root, somebody_resumes
    from outwarden.service.mail_servers import mail_server
    from outwarden.service.pausing import Pausing
    from outwarden.store.store import Store

    must_be_root()
    settings = configuration(options).settings
    with Store(Path(settings.store.path)) as store:
        acted = Pausing(store, mail_server(settings.mail_server, mta or ""), now, asked_by()).pause(what, reason, span)
    if options["json"]:
        print_json(record(acted.response, acted.remarks) | {"undo": undone_by(acted.response)})
    else:
        click.echo(plain(f"paused: {standing_line(acted.response)}"))
        for remark in acted.remarks:
            click.echo(plain(f"  {remark}"))
        if not options["quiet"]:
            click.echo(plain(f"  undo: {undone_by(acted.response)}"))
    if span is not None and not somebody_resumes(Path(settings.store.path)):
        click.echo(
            "outwarden: nobody here will resume it: neither outwarden run is at work nor the timer outwarden-resume "
            "enabled; run outwarden resume --expired then",
            err=True,
        )


def _show_plan(what: "What", mta: str | None, options: dict[str, Any]) -> None:
    from outwarden.service.mail_servers import mail_server, printed_pause
    from outwarden.service.pausing import steps_to_pause

    if mta is not None and printed_only(mta):
        show_steps(mta, printed_pause(mta, what, undo=False), options)
        return
    settings = configuration(options).settings
    server = mail_server(settings.mail_server, mta or "")
    steps = steps_to_pause(server, standing(Path(settings.store.path)), what)
    show_steps(server.name, [step.words() for step in steps], options)


def _show_standing(options: dict[str, Any]) -> None:
    with faults_in_words():
        found = standing(Path(configuration(options).settings.store.path))
    for each in found:
        if options["json"]:
            print_json(record(each, [each.remark] if each.remark else []) | {"undo": undone_by(each)})
        else:
            state = "" if each.state.value == "done" else f"  [{each.state.value}]"
            click.echo(plain(f"{standing_line(each)}  since {stamp(each.intended_at)}{state}  {each.reason}".rstrip()))
            click.echo(plain(f"  undo: {undone_by(each)}"))
    if not found and not options["json"]:
        click.echo("nothing is paused by Outwarden")


def standing(path: Path, read_only: bool = True) -> "list[Response]":
    """Return the pauses that stand; none where there is no store yet.  Raises ``StoreUnusable``."""
    from outwarden.store.store import Store

    try:
        path.stat()
    except FileNotFoundError:
        return []
    except OSError as fault:
        raise StoreNotReachable(f"{path}: {fault.strerror}; only root and the service may read it") from None
    with Store(path, read_only=read_only) as store:
        return store.responses.standing()


def standing_line(response: "Response") -> str:
    """Return what is paused and until when."""
    what = {
        "pause-server": "the whole server",
        "pause-account": f"account {response.subject}",
        "pause-destination": f"mail for {response.subject}",
    }[response.kind.value]
    end = "until resumed" if response.expires_at is None else f"until {stamp(response.expires_at)}"
    return f"{what}, {end} (response {response.id})"


def undone_by(response: "Response") -> str:
    """Return the command that takes a pause back."""
    from shlex import quote

    options = {"pause-account": " --account ", "pause-destination": " --destination "}
    option = options.get(response.kind.value)
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
