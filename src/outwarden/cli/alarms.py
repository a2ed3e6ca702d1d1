"""``outwarden alarms``: what people were told, by which channel; take one up; try a channel."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from outwarden.cli.acting import asked_by, now
from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import StoreNotReachable, configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.store.alarms import Notice
    from outwarden.store.store import Store

Found = TypeVar("Found")
_EXIT = (
    "Exit code: 0 done, 1 somebody could not be told, 2 usage, 3 no such alarm, 5 the store cannot be used, 78 the "
    "configuration cannot be used."
)


class NoSuchAlarm(CouldNot):
    """There is no alarm of that number."""

    exit_code = 3


class NotTold(CouldNot):
    """A channel could not be told."""


@click.group(epilog=_EXIT)
def alarms() -> None:
    """What people were told, and by which channel: list it, take one up, try a channel."""


@alarms.command("list", epilog=_EXIT)
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 10_000), help="So many, the newest.")
@click.option("--open", "only_open", is_flag=True, help="Only calls that nobody has answered.")
@click.pass_context
def alarms_list(context: click.Context, most: int, only_open: bool) -> None:
    """List the alarms, newest first: when, what, and who has taken it up."""
    for document in _with_store(context.obj, lambda store: _documents(store, most), read_only=True):
        if only_open and (document["turn"] != "call" or document["answered_by"]):
            continue
        if context.obj["json"]:
            print_json(document)
            continue
        taken = f"  (taken up by {document['answered_by']})" if document["answered_by"] else ""
        click.echo(
            plain(f"{document['id']:>5}  {document['made_at']}  {document['turn']:<6}  {document['line']}{taken}")
        )


@alarms.command("show", epilog=_EXIT)
@click.argument("number", type=int)
@click.pass_context
def alarms_show(context: click.Context, number: int) -> None:
    """Show one in full, and how each channel was told."""
    document = _with_store(context.obj, lambda store: _document(store, _notice(store, number)), read_only=True)
    if context.obj["json"]:
        print_json(document)
        return
    click.echo(plain(f"alarm {document['id']}, {document['turn']}, {document['made_at']}"))
    for line in str(document["body"]).splitlines():
        click.echo(plain(line))
    for told in document["told"]:
        click.echo(plain(f"{told['channel']}: {told['outcome'] or 'waits'} {told['at'] or ''}".rstrip()))
    if document["answered_by"]:
        click.echo(plain(f"taken up by {document['answered_by']}, {document['answered_at']}"))


@alarms.command("answer", epilog=_EXIT)
@click.argument("number", type=int)
@click.pass_context
def alarms_answer(context: click.Context, number: int) -> None:
    """Say that you have taken it up: channels with after_minutes are then not told."""
    who = asked_by()

    def answer(store: "Store") -> str:
        notice = _notice(store, number)
        with store.writing():
            if store.tellings.answer(number, who, now()):
                store.audit.record(
                    actor=who, action="alarm-answer", object=f"alarm {number}", at=now(), reason=notice.alarms[0].line
                )
        found = store.tellings.answered(number)
        return who if found is None else found.by

    by = _with_store(context.obj, answer)
    if context.obj["json"]:
        print_json({"id": number, "answered_by": by})
    elif not context.obj["quiet"]:
        click.echo(plain(f"alarm {number} is taken up by {by}"))


@alarms.command("test", epilog=_EXIT)
@click.argument("channels", nargs=-1)
@click.pass_context
def alarms_test(context: click.Context, channels: tuple[str, ...]) -> None:
    """Tell every channel, or those named, that this is a test; nothing is written down."""
    from outwarden.service.alarm_channels import checked
    from outwarden.service.alarm_telling import tried

    with settings_in_words():
        known = checked(configuration(context.obj))
    for name in channels:
        if name not in known:
            raise WrongArgument(f"{name}: no such channel; there are: {', '.join(known) or 'none'}")
    failed = 0
    for name in channels or tuple(known):
        fault = tried(known[name], now())
        outcome, failed = fault or "told", failed + bool(fault)
        if context.obj["json"]:
            print_json({"channel": name, "outcome": outcome})
        else:
            click.echo(plain(f"{name}: {outcome}"))
    if failed:
        raise NotTold(f"channels that could not be told: {failed}")


def _documents(store: "Store", most: int) -> list[dict[str, Any]]:
    return [_document(store, notice) for notice in store.alarms.newest(most)]


def _document(store: "Store", notice: "Notice") -> dict[str, Any]:
    from outwarden.service.notices import notice_body, notice_line

    answer = store.tellings.answered(notice.id)
    return {
        "id": notice.id,
        "made_at": f"{notice.made_at:%Y-%m-%dT%H:%M:%SZ}",
        "turn": notice.alarms[0].turn.value,
        "line": notice_line(notice),
        "body": notice_body(notice),
        "command": notice.outcome or "",
        "told": [
            {
                "channel": told.channel,
                "at": None if told.settled_at is None else f"{told.settled_at:%Y-%m-%dT%H:%M:%SZ}",
                "outcome": told.outcome,
            }
            for told in store.tellings.of(notice.id)
        ],
        "answered_by": None if answer is None else answer.by,
        "answered_at": None if answer is None else f"{answer.at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _notice(store: "Store", number: int) -> "Notice":
    found = store.alarms.find(number)
    if found is None:
        raise NoSuchAlarm(f"there is no alarm {number}; outwarden alarms list shows them")
    return found


def _with_store(options: dict[str, Any], work: "Callable[[Store], Found]", *, read_only: bool = False) -> "Found":
    from outwarden.store.database import StoreUnusable
    from outwarden.store.store import Store

    try:
        with Store(Path(configuration(options).settings.store.path), read_only=read_only) as store:
            return work(store)
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault
