"""``outwarden queue hold|release|delete``: what waits of an account, or single messages by their queue IDs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import (
    EXIT,
    account_option,
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
from outwarden.cli.asking import ask_if_there
from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import number, plain, print_json
from outwarden.cli.settings_option import configuration

if TYPE_CHECKING:
    from outwarden.events import QueuedMessage
    from outwarden.service.control.records import ChangeRecord
    from outwarden.service.queue_changes import Messages
    from outwarden.sources.queue.reading import QueueReading

_MOST_TYPED = 4 << 20
_WORDS = {"hold": "put on hold", "release": "released", "delete": "deleted"}

_ids = click.argument("queue_ids", metavar="[QUEUE-ID]...", nargs=-1)


@click.command("hold", epilog=EXIT)
@_ids
@account_option
@reason_option
@mta_option
@dry_run_option
@click.pass_context
def queue_hold(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 (click's own types)
    """Keep messages from being delivered until they are released; - reads queue IDs from standard input."""
    _change("hold", context.obj, **given)


@click.command("release", epilog=EXIT)
@_ids
@account_option
@reason_option
@mta_option
@dry_run_option
@click.pass_context
def queue_release(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 (click's own types)
    """Give messages that are on hold back to delivery; - reads queue IDs from standard input."""
    _change("release", context.obj, **given)


@click.command("delete", epilog=EXIT)
@_ids
@account_option
@reason_option
@mta_option
@dry_run_option
@click.pass_context
def queue_delete(context: click.Context, /, **given: Any) -> None:  # noqa: ANN401 (click's own types)
    """Delete messages for good, after keeping them in an archive; - reads queue IDs from standard input."""
    _change("delete", context.obj, **given)


def only_of(
    account: str, reading: "QueueReading", messages: "tuple[QueuedMessage, ...]", ours: bool, options: dict[str, Any]
) -> "QueueReading":
    """Return a listing with an account's messages alone.

    Of this machine's own queue by login, where its mail server tells and we may ask; else by envelope sender.
    """
    from msgspec.structs import replace

    with faults_in_words():
        from outwarden.service.control.queue_answers import only_of
        from outwarden.service.queue_changes import Messages, queue_ids_of

        named = Messages.of(account, ()).account or ""
        by_login = queue_ids_of(configuration(options).settings.mail_server, named) if ours else None
    return only_of(named, replace(reading, messages=messages), by_login)


def _change(
    verb: str,
    options: dict[str, Any],
    queue_ids: tuple[str, ...],
    account: str | None,
    reason: str,
    mta: str | None,
    dry_run: bool,
) -> None:
    if bool(queue_ids) == (account is not None):
        raise WrongArgument("name either --account or queue IDs")
    if queue_ids == ("-",):
        queue_ids = _typed()
        if not queue_ids:
            raise WrongArgument("no queue ID on standard input")
    if dry_run:
        _show_plan(verb, queue_ids, account, mta, options)
        return
    refuse_to_run(mta)
    question = {"account": account, "queue_ids": queue_ids, "reason": reason, "mail_server": mta or ""}
    answer = ask_if_there(options, f"queue.{verb}", question)
    if answer is None:
        with faults_in_words():
            from outwarden.service.queue_changes import Messages

            Messages.of(account, queue_ids)
            _show(verb, done_directly(options, f"queue.{verb}", question), options)
    else:
        from msgspec import convert

        from outwarden.service.control.records import ChangeRecord

        _show(verb, convert(answer, ChangeRecord), options)


def _show_plan(
    verb: str, queue_ids: tuple[str, ...], account: str | None, mta: str | None, options: dict[str, Any]
) -> None:
    with faults_in_words():
        from outwarden.service.acting import must_be_root
        from outwarden.service.mail_servers import mail_server
        from outwarden.service.queue_changes import Messages, archives_of, steps
        from outwarden.store.responses import ResponseKind

        which = Messages.of(account, queue_ids)
        if mta is not None and printed_only(mta):
            _print_foreign(verb, mta, which, options)
            return
        must_be_root()
        settings = configuration(options).settings
        server = mail_server(settings.mail_server, mta or "")
        lines = [step.words() for step in steps(server, ResponseKind(f"queue-{verb}"), which)]
        if verb == "delete" and lines:
            archives = archives_of(Path(settings.store.path))
            lines.insert(-1, f"# then each message is kept in an archive in {archives}, and only then:")
        show_steps(server.name, lines, options)


def _print_foreign(verb: str, mta: str, which: "Messages", options: dict[str, Any]) -> None:
    from outwarden.service.mail_servers import printed_queue_change

    if which.account is None:
        raise CouldNot(f"--mta {mta}: the commands are known for an account only; name --account")
    show_steps(mta, printed_queue_change(mta, verb, which.account), options)


def _show(verb: str, changed: "ChangeRecord", options: dict[str, Any]) -> None:
    if options["json"]:
        print_json(record(changed))
        return
    count = len(changed.queue_ids)
    messages = "1 message" if count == 1 else f"{number(count)} messages"
    click.echo(f"{_WORDS[verb]}: {messages} (response {changed.response})")
    if changed.archive is not None:
        click.echo(plain(f"  kept in {changed.archive}"))
        click.echo(f"  sha256 {changed.sha256}")
    for remark in changed.remarks:
        click.echo(plain(f"  {remark}"))


def _typed() -> tuple[str, ...]:
    text = sys.stdin.read(_MOST_TYPED)
    if len(text) >= _MOST_TYPED:
        raise WrongArgument("more queue IDs on standard input than any queue holds")
    return tuple(text.split())
