"""``outwarden account``: how an account stands and why; block it, give it back, its history, repeat offenders."""

from typing import Any

import click

from outwarden.cli.account_contain import account_contain, account_undo_containment
from outwarden.cli.asking import ACTING_SECONDS, READING_SECONDS, ask_service
from outwarden.cli.rendering import harmless_json, plain

_EXIT = (
    "Exit code: 0 done, 1 could not, 2 usage, 3 no such account or reference, 4 not allowed, 5 the service is not "
    "there, or cannot write it down; 78 the configuration cannot be used."
)

_account = click.argument("account", metavar="ACCOUNT")
_reference = click.argument("reference", metavar="REFERENCE")
_reason = click.option("--reason", metavar="TEXT", default="", help="Why; it is written down.")
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.group(epilog=_EXIT)
def account() -> None:
    """How an account stands and why; block it, give it back, its history, and who was blocked repeatedly.

    All of it is asked of the running service, but for contain and undo-containment, which need none.
    """


account.add_command(account_contain)
account.add_command(account_undo_containment)


@account.command("show", epilog=_EXIT)
@_account
@click.pass_context
def account_show(context: click.Context, account: str) -> None:
    """Show how an account stands, what is held against it, and what it does on other days."""
    answer = _ask(context, "account.show", {"account": account})
    if not context.obj["json"]:
        from msgspec import convert

        from outwarden.cli.account_report import report_lines
        from outwarden.service.control.status import AccountReport

        _print(report_lines(convert(answer, AccountReport), _width(context)))


@account.command("block", epilog=_EXIT)
@_account
@_reason
@_dry_run
@click.pass_context
def account_block(context: click.Context, account: str, reason: str, dry_run: bool) -> None:
    """Refuse all that an account hands in, until it is unblocked."""
    _change(context, "account.block", {"account": account, "reason": reason, "dry_run": dry_run})


@account.command("unblock", epilog=_EXIT)
@_account
@click.option("--wrongly", is_flag=True, help="It was blocked wrongly: no offence, and the rules that did it count it.")
@_reason
@_dry_run
@click.pass_context
def account_unblock(context: click.Context, account: str, wrongly: bool, reason: str, dry_run: bool) -> None:
    """Give an account back, or let go what is held of it."""
    question = {"account": account, "wrongly": wrongly, "reason": reason, "dry_run": dry_run}
    _change(context, "account.unblock", question)


@account.command("history", epilog=_EXIT)
@_account
@click.pass_context
def account_history(context: click.Context, account: str) -> None:
    """List what was done about an account, newest first: by whom, and why; and how often in 30, 90 and 365 days."""
    answer = _ask(context, "account.history", {"account": account}, one_by_one=True)
    if not context.obj["json"]:
        from msgspec import convert

        from outwarden.cli.account_report import history_lines, offence_lines
        from outwarden.service.control.status import HistoryEntry

        remembered = ask_service(context.obj, "account.offences", {"account": account})
        _print([*offence_lines(remembered), *history_lines(convert(answer, list[HistoryEntry]))])


@account.command("offenders", epilog=_EXIT)
@click.pass_context
def account_offenders(context: click.Context) -> None:
    """List the accounts that were blocked, the most often first, and what the next offence of each leads to."""
    answer = _ask(context, "account.offenders", {}, one_by_one=True)
    if not context.obj["json"]:
        from msgspec import convert

        from outwarden.cli.account_report import offender_lines
        from outwarden.service.control.status import Offender

        _print(offender_lines(convert(answer, list[Offender]), _width(context)))


@account.command("confirm", epilog=_EXIT)
@_reference
@_reason
@_dry_run
@click.pass_context
def account_confirm(context: click.Context, reference: str, reason: str, dry_run: bool) -> None:
    """Have that done what waits for a person's yes (mode ask); status names its reference."""
    _change(context, "response.confirm", {"reference": reference, "reason": reason, "dry_run": dry_run})


@account.command("dismiss", epilog=_EXIT)
@_reference
@_reason
@_dry_run
@click.pass_context
def account_dismiss(context: click.Context, reference: str, reason: str, dry_run: bool) -> None:
    """Say no to what waits for a person's yes; nothing is done."""
    _change(context, "response.dismiss", {"reference": reference, "reason": reason, "dry_run": dry_run})


def _ask(
    context: click.Context,
    verb: str,
    question: dict[str, Any],
    seconds: float = READING_SECONDS,
    *,
    one_by_one: bool = False,
) -> Any:  # noqa: ANN401 (JSON)
    """Return the answer, printed already where JSON is wanted: as a whole, or its parts one by one."""
    answer = ask_service(context.obj, verb, question, seconds)
    if context.obj["json"]:
        from msgspec.json import encode

        _print([harmless_json(encode(each)) for each in (answer if one_by_one else [answer])])
    return answer


def _change(context: click.Context, verb: str, question: dict[str, Any]) -> None:
    answer = _ask(context, verb, question, ACTING_SECONDS)
    if context.obj["json"]:
        return
    from msgspec import convert

    from outwarden.service.control.status import AccountChange

    changed = convert(answer, AccountChange)
    would = "would be: " if changed.dry_run else ""
    click.echo(plain(f"{would}{changed.what}" + (f" ({changed.reference})" if changed.reference else "")))
    for remark in changed.remarks:
        click.echo(plain(f"  {remark}"))
    if changed.undo and not changed.dry_run and not context.obj["quiet"]:
        click.echo(plain(f"  undo: {changed.undo}"))


def _width(context: click.Context) -> int:
    from outwarden.cli.log_options import screen

    return screen(context.obj["verbose"]).width


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
