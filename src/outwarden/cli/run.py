"""``outwarden run``: the service, in the foreground, for systemd or for a terminal."""

import signal
from datetime import UTC, datetime
from threading import Event

import click

from outwarden.cli.rendering import plain
from outwarden.cli.settings_option import BadConfiguration, StoreNotReachable, configuration


@click.command(epilog="Exit code: 0 stopped or done, 5 the store cannot be used, 78 the configuration cannot be used.")
@click.option("--once", is_flag=True, help="Ask about everything once, send the alarms, and end.")
@click.pass_context
def run(context: click.Context, once: bool) -> None:
    """Watch our addresses and domains on the blocklists, and give one alarm when a listing begins and one when it ends.

    What it does is said on standard error, a line at a time.  SIGTERM and Ctrl-C stop it within seconds.
    """
    from outwarden.service.daemon import Service
    from outwarden.service.settings import ConfigurationError
    from outwarden.store.database import StoreUnusable

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    quiet = bool(context.obj["quiet"])
    try:
        service = Service(configuration(context.obj), _now, _silent if quiet else _say, stop)
        try:
            service.run_once() if once else service.run()
        finally:
            service.close()
    except ConfigurationError as fault:
        raise BadConfiguration(str(fault)) from fault
    except StoreUnusable as fault:
        raise StoreNotReachable(str(fault)) from fault


def _now() -> datetime:
    return datetime.now(UTC)


def _say(line: str) -> None:
    click.echo(f"{_now():%Y-%m-%dT%H:%M:%SZ} {plain(line)}", err=True)


def _silent(_line: str) -> None:
    """Say nothing; alarms are written to standard error all the same."""
