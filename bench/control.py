"""Claim: ``status``, ``account``, ``pause`` and ``queue`` are answered by the running service in under 150 ms.

python bench/control.py

Whole processes, against a service's socket with answers of the size of a large site's bad night: 300 accounts on the
screen, 1,000 messages in the queue.
"""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import OUTWARDEN, PYTHON, compare, print_table
from outwarden.events import QueuedMessage
from outwarden.service.control.records import ResponseRecord
from outwarden.service.control.server import Answer, Asker, ControlServer
from outwarden.service.control.status import AccountReport, AccountStatus, Deed, Status
from outwarden.sources.queue.reading import QueueForm, QueueReading

AT = datetime(2026, 11, 25, 7, 12, tzinfo=UTC)


def answers() -> dict[str, object]:
    """Return what the service says."""
    who = [f"subscriber{number}@isp.example" for number in range(1000)]
    accounts = tuple(
        AccountStatus(name, "held", True, 5.0, None, AT, "OW-7", "a finding of usual length") for name in who[:300]
    )
    deeds = tuple(
        Deed(AT, "held", name, "a finding", "OW-7", f"outwarden account unblock {name}") for name in who[:300]
    )
    waiting = tuple(
        QueuedMessage(f"4jYgM74ky5zJ{n:04}", "deferred", AT, 900, who[n], ((who[-n], "no route"),)) for n in range(1000)
    )
    return {
        "status": Status(AT, AT, "0.1.0", "no", accounts=accounts, accounts_in_all=1000, done_by_itself=deeds),
        "account.show": AccountReport(who[0], "login", "held"),
        "pause": ResponseRecord(9, "pause-server", "", "done", "", "root", AT, None),
        "queue.list": QueueReading(QueueForm.POSTQUEUE_JSON, 1000, waiting),
    }


def always(value: object) -> Answer:
    """Return who always answers the same."""

    async def give(_arguments: dict[str, Any], _asker: Asker) -> object:
        return value

    return Answer(give)


def main() -> None:
    """Measure and print; the peer is an interpreter that does nothing."""
    with TemporaryDirectory() as folder:
        settings, socket = Path(folder) / "outwarden.toml", Path(folder) / "control.sock"
        settings.write_text(f'[control]\nsocket = "{socket}"\n')
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        server = ControlServer(socket, "", {verb: always(value) for verb, value in answers().items()})
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        verbs = ("status", "account show rosa", "pause --for 30m", "queue list")
        commands = {f"outwarden {verb}": [*OUTWARDEN, "--config", str(settings), *verb.split()] for verb in verbs}
        print_table(compare({**commands, "python -c pass": [PYTHON, "-c", "pass"]}), ["python -c pass"])
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


if __name__ == "__main__":
    main()
