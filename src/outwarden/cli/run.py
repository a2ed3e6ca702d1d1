"""``outwarden run``: the service, in the foreground, for systemd or for a terminal."""

import os
import signal
from datetime import UTC, datetime
from threading import Event

import click

from outwarden.cli.rendering import plain
from outwarden.cli.settings_option import BadConfiguration, StoreNotReachable, configuration


@click.command(epilog="Exit code: 0 stopped or done, 5 the store cannot be used, 78 the configuration cannot be used.")
@click.option(
    "--once", is_flag=True, help="Ask the blocklists about everything of ours once, send the alarms, and end."
)
@click.pass_context
def run(context: click.Context, once: bool) -> None:
    """The service: follow the logs, stand at the mail server's gate, judge, act as configured, watch the blocklists.

    With no configuration it follows this machine's own mail log and only says what it would do.  What it does is said
    on standard error, a line at a time; `outwarden status` asks it.  SIGTERM and Ctrl-C stop it within seconds.
    """
    from outwarden.filter.endpoint import CannotListen
    from outwarden.service import daemon
    from outwarden.service.settings import ConfigurationError
    from outwarden.store.database import StoreUnusable

    # What is remembered of people's mail is nobody else's business.
    os.umask(0o027)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say = _silent if context.obj["quiet"] else _say
    try:
        found = configuration(context.obj)
        (daemon.run_once if once else daemon.run)(found, _now, say, stop)
    except (ConfigurationError, CannotListen) as fault:
        raise BadConfiguration(str(fault)) from fault
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault


def _now() -> datetime:
    return datetime.now(UTC)


def _say(line: str) -> None:
    click.echo(f"{_now():%Y-%m-%dT%H:%M:%SZ} {plain(line)}", err=True)


def _silent(_line: str) -> None:
    """Say nothing; alarms are written to standard error all the same."""
