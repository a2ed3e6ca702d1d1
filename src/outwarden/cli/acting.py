"""What the verbs that change something share: their options, who asks, and how a fault is told."""

import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.failure import CouldNot, WrongArgument
from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import StoreNotReachable, configuration, settings_in_words

if TYPE_CHECKING:
    from outwarden.service.control.records import ResponseRecord

EXIT = (
    "Exit code: 0 done, 1 could not, 2 usage, 3 no such message, 4 not allowed, 5 the store cannot be used, "
    "78 the configuration cannot be used."
)

account_option = click.option("--account", metavar="A", help="This account: its login, or its envelope sender.")
destination_option = click.option("--destination", metavar="D", help="Mail for this domain only.")
reason_option = click.option("--reason", metavar="TEXT", default="", help="Why; it is written down.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only print the exact commands, and change nothing.")
mta_option = click.option(
    "--mta",
    type=click.Choice(["postfix", "exim", "sendmail", "exchange"]),
    default=None,
    help="The mail server, where it is not the one that is here; the last two with --dry-run only.",
)


class NotFound(CouldNot):
    """What was named is not there."""

    exit_code = 3


class NotPermitted(CouldNot):
    """This user may not do it."""

    exit_code = 4


@contextmanager
def faults_in_words() -> Iterator[None]:
    """Turn what may go wrong with a deed into one line and its exit code."""
    from outwarden.service.acting import CouldNotAct, MalformedSubject, NotAllowed, NothingFound
    from outwarden.store.database import StoreUnusable

    try:
        with settings_in_words():
            yield
    except MalformedSubject as fault:
        raise WrongArgument(str(fault)) from None
    except NotAllowed as fault:
        raise NotPermitted(str(fault)) from None
    except NothingFound as fault:
        raise NotFound(str(fault)) from None
    except CouldNotAct as fault:
        raise CouldNot(str(fault)) from fault
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def asked_by() -> str:
    """Return who asks: the user of the terminal, also behind sudo."""
    behind = os.environ.get("SUDO_USER", "")
    if behind.isprintable() and 0 < len(behind) <= 64:
        return behind
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def printed_only(name: str | None) -> bool:
    """Return whether the mail server is one whose commands are only printed."""
    return name in ("sendmail", "exchange")


def refuse_to_run(name: str | None) -> None:
    """Raise for a mail server whose commands are only printed."""
    if printed_only(name):
        raise CouldNot(f"--mta {name}: its commands are only printed; add --dry-run and run them there")


def show_steps(server: str, lines: Sequence[str], options: dict[str, Any]) -> None:
    """Print what would be done."""
    if options["json"]:
        print_json({"dry_run": True, "mail_server": server, "commands": lines})
        return
    for line in lines or ("# nothing to do",):
        click.echo(plain(line))


def done_directly(options: dict[str, Any], verb: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Do without the service what it would do, and return what it would answer.  Raises what that raises."""
    from outwarden.service.acting import must_be_root
    from outwarden.service.control.queue_answers import QueueAnswers
    from outwarden.service.time_zone import local_zone
    from outwarden.store.store import Store

    must_be_root()
    settings = configuration(options).settings
    with Store(Path(settings.store.path)) as store:
        answers = QueueAnswers(store, settings.mail_server, now, local_zone()).by_verb()
        return answers[verb].give(arguments, asked_by())


def record(response: "ResponseRecord") -> dict[str, Any]:
    """Return a response for --json."""
    from msgspec.structs import asdict

    return asdict(response)
