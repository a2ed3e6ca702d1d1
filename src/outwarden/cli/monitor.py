"""``outwarden monitor``: checks for Nagios, Icinga and their like: one line with perfdata, exit code 0 to 3.

Reads what the service wrote into its store; where there is none, it asks by itself.  Whatever goes wrong is UNKNOWN,
on standard output, where a monitor reads it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from outwarden.cli.rendering import plain, print_json
from outwarden.cli.settings_option import BadConfiguration, configuration

if TYPE_CHECKING:
    from outwarden.detection.listing_state import Standing

_ROUNDS = 3
"""An answer older than so many rounds is stale: the service is not at work, or cannot ask."""


@click.group(epilog="Exit code: 0 fine, 1 warning, 2 critical, 3 unknown.")
def monitor() -> None:
    """Checks for Nagios or Icinga, with perfdata."""


@monitor.command("blocklists")
@click.argument("target", nargs=-1)
@click.pass_context
def monitor_blocklists(context: click.Context, target: tuple[str, ...]) -> None:
    """Is an address or domain of ours listed?

    Reads what outwarden run found; without its store, or about TARGETs, it asks the lists itself.
    """
    from outwarden.detection.listing_state import Level
    from outwarden.service.listing_check import ask_now, from_store
    from outwarden.service.settings import ConfigurationError
    from outwarden.service.settings_files import is_there
    from outwarden.store.database import StoreUnusable

    now = datetime.now(UTC)
    try:
        settings = configuration(context.obj)
        stored = Path(settings.settings.store.path)
        asking = bool(target) or not is_there(stored)
        found = ask_now(settings, target, now) if asking else from_store(settings, stored, now, _ROUNDS)
    except BadConfiguration as fault:
        _end(context, Level.UNKNOWN, fault.message)
    except (ConfigurationError, StoreUnusable) as fault:
        _end(context, Level.UNKNOWN, str(fault))
    else:
        _answer(context, found)


def _answer(context: click.Context, found: "Standing") -> None:
    if context.obj["json"]:
        print_json(found)
        context.exit(found.level)
    perfdata = [
        f"listed={found.listed};0;;0;",
        f"major={found.major};;0;0;",
        f"targets={found.targets};;;0;",
        f"targets_listed={found.targets_listed};;;0;{found.targets}",
        f"could_not_ask={found.could_not_ask};;;0;",
        *([f"oldest_s={found.oldest_seconds};;;0;"] if found.oldest_seconds is not None else []),
    ]
    _end(context, found.level, found.sentence, " ".join(perfdata))


def _end(context: click.Context, level: Any, sentence: str, perfdata: str = "") -> None:  # noqa: ANN401 (imported late)
    # A bar would begin the perfdata.
    words = plain(sentence).replace("|", "/")
    click.echo(f"OUTWARDEN BLOCKLISTS {level.name} - {words}" + (f" | {perfdata}" if perfdata else ""))
    context.exit(int(level))
