"""``outwarden account contain`` and ``undo-containment``: every step as a checklist, and everything back as it was.

Done here and not by the service, so that it can be done where no service runs; what the service alone can do (its gate,
the queue) is asked of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.acting import asked_by, faults_in_words, now
from outwarden.cli.asking import ACTING_SECONDS, ask_service
from outwarden.cli.failure import CouldNot
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import configuration

if TYPE_CHECKING:
    from outwarden.service.containment.by_hand import ByHand, Containment

_EXIT = (
    "Exit code: 0 done, 1 could not, or not wholly, 2 usage, 3 no such account or nothing to take back, 4 not allowed, "
    "5 the store cannot be used, 78 the configuration cannot be used."
)
_SIGNS = {True: "done", False: "FAILED", None: "look"}

_account = click.argument("account", metavar="ACCOUNT")
_reason = click.option("--reason", metavar="TEXT", default="", help="Why; it is written down.")
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.command("contain", epilog=_EXIT)
@_account
@_reason
@_dry_run
@click.pass_context
def account_contain(context: click.Context, account: str, reason: str, dry_run: bool) -> None:
    """Take a stolen account from whoever has it: password, app passwords, sessions, forwards and rules, queued mail.

    Which steps and in which order is said by the setting containment.steps.  It can be repeated, and goes on where it
    was interrupted.
    """
    if not reason and not dry_run:
        raise click.UsageError("say why with --reason; it is written down", context)
    with _by_hand(context.obj) as hand:
        done = hand.plan(account) if dry_run else hand.contain(account, reason)
    undo = "" if dry_run else f"undo: outwarden account undo-containment {done.account} --reason ..."
    _tell(context.obj, done, undo)


@click.command("undo-containment", epilog=_EXIT)
@_account
@_reason
@_dry_run
@click.pass_context
def account_undo_containment(context: click.Context, account: str, reason: str, dry_run: bool) -> None:
    """Give an account back as it was: password, app passwords, rules; and no offence of it is counted.

    What somebody has changed since, such as a password that its owner chose, stays as it is now.
    """
    if not reason and not dry_run:
        raise click.UsageError("say why with --reason; it is written down", context)
    with _by_hand(context.obj) as hand:
        done = hand.plan_undo(account) if dry_run else hand.undo(account, reason)
    _tell(context.obj, done, "")


@contextmanager
def _by_hand(options: dict[str, Any]) -> "Iterator[ByHand]":
    from outwarden.service.acting import must_be_root
    from outwarden.service.containment.back_ends import places
    from outwarden.service.containment.by_hand import ByHand
    from outwarden.store.store import Store

    found = configuration(options)

    def ask(verb: str, arguments: dict[str, object]) -> str:
        return _asked(options, verb, arguments)

    with faults_in_words():
        must_be_root()
        there = places(found)
        with Store(Path(found.settings.store.path)) as store:
            yield ByHand(store, there, found.settings.containment, now, asked_by(), ask)


def _asked(options: dict[str, Any], verb: str, arguments: dict[str, object]) -> str:
    """Have the service do it; return its words."""
    from outwarden.service.acting import CouldNotAct

    try:
        answer = ask_service(options, verb, arguments, ACTING_SECONDS)
    except CouldNot as fault:
        raise CouldNotAct(fault.message) from fault
    if not isinstance(answer, dict):
        return ""
    messages = answer.get("queue_ids")
    return str(answer.get("what") or f"{len(messages) if isinstance(messages, list) else 0} messages")


def _tell(options: dict[str, Any], done: "Containment", undo: str) -> None:
    if options["json"]:
        from msgspec import to_builtins

        print_json({**to_builtins(done), "failed": done.failed})
    else:
        for line in done.checklist:
            said = "" if line.words in {"would be done", ""} else f": {line.words}"
            sign = "would" if done.dry_run else _SIGNS[line.holds]
            click.echo(plain(f"{sign:<7} {line.deed}{said}"))
        if undo and not options["quiet"]:
            click.echo(plain(undo))
    if done.failed:
        raise CouldNot("not all of it could be done; what failed is tried again by the same command")
