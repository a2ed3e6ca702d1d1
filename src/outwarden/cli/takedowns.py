"""``outwarden takedowns``: the reports that were sent, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outwarden.cli.acting import asked_by, now
from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import StoreNotReachable, configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.dns.abuse_report import Reporter
    from outwarden.service.settings import Configuration
    from outwarden.service.takedowns import Sent, TakedownDesk

Found = TypeVar("Found")
_EXIT = (
    "Exit code: 0 done, 1 could not, 2 usage, 3 no such report, 4 refused, 5 the store cannot be used, 78 the "
    "configuration cannot be used."
)


class NoSuchReport(CouldNot):
    """There is no report of that number."""

    exit_code = 3


class Refused(CouldNot):
    """It must not be sent."""

    exit_code = 4


@click.group(epilog=_EXIT)
def takedowns() -> None:
    """The reports of abuse that were sent: to whom, what became of them, what they answered."""


@takedowns.command("list", epilog=_EXIT)
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 10_000), help="So many, the newest.")
@click.pass_context
def takedowns_list(context: click.Context, most: int) -> None:
    """List the reports, newest first."""
    for sent in with_desk(context.obj, lambda desk: desk.newest(most), read_only=True):
        show_sent(sent, context.obj)


@takedowns.command("show", epilog=_EXIT)
@click.argument("number", type=int)
@click.pass_context
def takedowns_show(context: click.Context, number: int) -> None:
    """Show one: the letter, whom it went to, what came of each mail."""
    sent = with_desk(context.obj, lambda desk: desk.sent(number), read_only=True)
    show_sent(sent, context.obj)
    if context.obj["json"]:
        return
    for mail in sent.mails:
        stamp = f"{mail.begun_at:%Y-%m-%d %H:%M} UTC"
        click.echo(plain(f"  {stamp}  {mail.contact}: {mail.state.value} {mail.words}".rstrip()))
    if sent.takedown.answered_at is not None:
        click.echo(plain(f"  {sent.takedown.answered_at:%Y-%m-%d %H:%M} UTC  answered: {sent.takedown.answer}"))
    click.echo("")
    for line in _letter(sent).splitlines():
        click.echo(plain(f"  {line}".rstrip()))


@takedowns.command("send", epilog=_EXIT)
@click.argument("number", type=int)
@click.pass_context
def takedowns_send(context: click.Context, number: int) -> None:
    """Try again what the mail server put off."""
    show_sent(with_desk(context.obj, lambda desk: desk.go_on(number)), context.obj)


@takedowns.command("bounced", epilog=_EXIT)
@click.argument("number", type=int)
@click.option("--why", default="came back", help="What the bounce says.")
@click.pass_context
def takedowns_bounced(context: click.Context, number: int, why: str) -> None:
    """Say that it came back: the next contact gets it.  Where outwarden run follows the log, it sees that itself."""
    show_sent(with_desk(context.obj, lambda desk: desk.bounced(number, why)), context.obj)


@takedowns.command("answered", epilog=_EXIT)
@click.argument("number", type=int)
@click.option("--text", default="", help="What they said, in a line.")
@click.pass_context
def takedowns_answered(context: click.Context, number: int, text: str) -> None:
    """Write down that they answered."""
    show_sent(with_desk(context.obj, lambda desk: desk.answered(number, asked_by(), text)), context.obj)


def show_sent(sent: Sent, options: dict[str, Any]) -> None:
    """Print a report as it stands."""
    takedown, mails = sent
    if options["json"]:
        print_json(
            {
                "id": takedown.id,
                "target": takedown.target,
                "report_id": takedown.report_id,
                "asked_by": takedown.asked_by,
                "begun_at": takedown.begun_at,
                "contacts": takedown.contacts,
                "mails": [mail._asdict() for mail in mails],
                "answered_at": takedown.answered_at,
                "answer": takedown.answer,
            }
        )
        return
    last = f"{mails[-1].state.value} to {mails[-1].contact}" if mails else "not sent"
    answered = ", answered" if takedown.answered_at is not None else ""
    stamp = f"{takedown.begun_at:%Y-%m-%d %H:%M} UTC"
    click.echo(plain(f"{takedown.id:>5}  {stamp}  {takedown.target}: {last}{answered}"))


def with_desk(
    options: dict[str, Any],
    work: Callable[[TakedownDesk], Found],
    *,
    read_only: bool = False,
    settings: Configuration | None = None,
    reporter: Reporter | None = None,
) -> Found:
    """Return what is found or done with the reports in the store, faults in words."""
    from outwarden.service.acting import CouldNotAct, NotAllowed, NothingFound
    from outwarden.service.takedown_table import reporter_of
    from outwarden.service.takedowns import TakedownDesk, takedown_site
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    found = settings or configuration(options)
    try:
        with settings_in_words(), Store(Path(found.settings.store.path), read_only=read_only) as store:
            return work(TakedownDesk(store, takedown_site(found, reporter or reporter_of(found)), now))
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
    except NotAllowed as fault:
        raise Refused(str(fault)) from fault
    except NothingFound as fault:
        raise NoSuchReport(str(fault)) from fault
    except CouldNotAct as fault:
        raise CouldNot(str(fault)) from fault


def _letter(sent: Sent) -> str:
    import json

    return str(json.loads(sent.takedown.report)["text"])
