"""``outwarden replay``: what a policy would have done to the mail of the past, and what another one would."""

from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.log_options import failures_in_words, print_unknown, refuse_damage, screen, show_unknown, timezone
from outwarden.cli.progress import Progress
from outwarden.cli.rendering import print_json
from outwarden.cli.settings_option import BadConfiguration

if TYPE_CHECKING:
    from datetime import tzinfo

    from outwarden.detection.replay.player import Plan
    from outwarden.detection.replay.tape import Tape
    from outwarden.service.replaying import NamedPolicy, Replay


def _complete_policy(_context: click.Context, _option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the names of shipped policies, and files."""
    from outwarden.detection.live import SHIPPED_POLICIES

    shipped = [CompletionItem(name) for name in SHIPPED_POLICIES if name.startswith(incomplete)]
    return [*shipped, CompletionItem(incomplete, type="file")]


def _stolen(_context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> "dict[str, float | None]":
    """Take ``ACCOUNT`` or ``ACCOUNT=TIME``: an address may hold an equals sign, a time holds no at sign."""
    accounts: dict[str, float | None] = {}
    for value in given:
        account, equals, time = value.rpartition("=")
        if not equals or "@" in time:
            accounts[value] = None
            continue
        try:
            at = datetime.fromisoformat(time)
            accounts[account] = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
        except ValueError as fault:
            message = f"{time!r} is no time; write it as 2026-04-07T01:44 (UTC), or with its zone"
            raise click.BadParameter(message, param=option) from fault
    return accounts


@click.command(epilog="Exit code: 0 played, 1 could not, 2 usage, 78 a policy cannot be used.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--policy",
    metavar="P",
    required=True,
    shell_complete=_complete_policy,
    help="A file, or company, university, hoster or isp.",
)
@click.option("--against", metavar="Q", shell_complete=_complete_policy, help="A second policy, beside the first.")
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="Write the answer as one page, too.")
@click.option(
    "--stolen",
    metavar="ACCOUNT[=TIME]",
    multiple=True,
    callback=_stolen,
    help="This account was stolen (at TIME, UTC); repeatable.",
)
@click.option(
    "--desk",
    metavar="MINUTES",
    type=click.FloatRange(min=0),
    help="Somebody looks at held mail after so long; without it nobody does.",
)
@click.option(
    "--learn",
    metavar="DAYS",
    type=click.FloatRange(min=0),
    help="Accept and learn for so long at first (default: a third, at most 21 days).",
)
@timezone
@show_unknown
@click.pass_context
def replay(
    context: click.Context,
    files: tuple[str, ...],
    policy: str,
    against: str | None,
    html: Path | None,
    stolen: "dict[str, float | None]",
    desk: float | None,
    learn: float | None,
    zone: "tzinfo",
    show_unknown: bool,
) -> None:
    """Play the mail of the past to a policy: who would have been held or blocked, when, why, and at what cost?

    FILE is what outwarden logs --events wrote, a log, a folder of rotated logs, or - for standard input; also both
    mixed.  Nothing is changed and nobody is told.
    """
    from outwarden.detection.replay.player import Plan

    policies = _named_apart([named_policy(name) for name in (policy, against) if name is not None])
    shown = print_unknown if show_unknown else None
    answer = _play(files, zone, shown, policies, Plan(stolen, learn, desk), not context.obj["quiet"])
    if html is not None:
        from outwarden.cli.output_file import write_whole
        from outwarden.cli.replay_page import replay_page

        write_whole(html, [replay_page(answer)])
    _show(answer, context.obj)
    refuse_damage(answer.read.damage)


def named_policy(name: str) -> "NamedPolicy":
    """Return the policy of a file, or a shipped one.  Raises ``BadConfiguration``."""
    from outwarden.detection.live import SHIPPED_POLICIES, PolicyError, read_policy, shipped_policy
    from outwarden.service.replaying import NamedPolicy

    if name in SHIPPED_POLICIES:
        return NamedPolicy(name, shipped_policy(name))
    try:
        return NamedPolicy(name, read_policy(Path(name).read_text(encoding="utf-8")))
    except FileNotFoundError as fault:
        raise BadConfiguration(
            f"{name}: there is no such policy; name a file, or one of {', '.join(SHIPPED_POLICIES)}"
        ) from fault
    except OSError as fault:
        raise BadConfiguration(f"{name}: {fault.strerror}; name a policy that can be read") from fault
    except UnicodeDecodeError as fault:
        raise BadConfiguration(f"{name}: not UTF-8 text; save it as UTF-8") from fault
    except PolicyError as fault:
        raise BadConfiguration(f"{name}: {fault}") from fault


def _named_apart(policies: "list[NamedPolicy]") -> "list[NamedPolicy]":
    """Call a policy by its file's name alone, where that tells them apart."""
    short = [policy._replace(name=Path(policy.name).name) for policy in policies]
    return short if len({policy.name for policy in short}) == len(short) else policies


def _play(
    files: tuple[str, ...],
    zone: "tzinfo",
    show: Callable[[str], None] | None,
    policies: "list[NamedPolicy]",
    plan: "Plan",
    wanted: bool,
) -> "Replay":
    from outwarden.service import replaying
    from outwarden.service.event_reading import EventReading
    from outwarden.service.log_reading import log_sources

    try:
        with failures_in_words(), Progress(wanted) as progress:
            tape, read = replaying.read_tape(EventReading(log_sources(files), zone, progress, show))
        _refuse_unknown_accounts(plan, tape)
        with Progress(wanted, unit="messages") as progress:
            return replaying.replay(tape, read, policies, plan, progress)
    except replaying.NothingToPlay as fault:
        raise CouldNot(str(fault)) from fault


def _refuse_unknown_accounts(plan: "Plan", tape: "Tape") -> None:
    """An account named as stolen that never sent is a slip of the pen, which would make all figures wrong."""
    accounts = {message.submitted.account for message in tape.messages}
    for account in plan.stolen:
        if account not in accounts:
            near = get_close_matches(account, accounts, n=1)
            hint = f"did you mean {near[0]}?" if near else "name it as outwarden logs does"
            raise WrongArgument(f"--stolen {account}: no such account in the recording; {hint}")


def _show(answer: "Replay", options: dict[str, Any]) -> None:
    from outwarden.cli.replay_report import headline, replay_document, report

    if options["json"]:
        print_json(replay_document(answer))
    elif options["quiet"]:
        click.echo("\n".join(headline(outcome) for outcome in answer.outcomes))
    else:
        click.echo("\n".join(report(answer, screen(options["verbose"]))))
