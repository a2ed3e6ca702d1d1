"""Has one alarm handed over by a courier, once, whatever happens to this process meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from outwarden.service import alarm_courier
from outwarden.store.database import StoreUnusable

MOST_TRIES = 5
FIRST_WAIT = timedelta(minutes=1)
PATIENCE_SECONDS = 60.0
_RECEIPTS_KEPT = timedelta(days=7)


class Handover:
    """Where couriers leave their receipts: a folder beside the store."""

    def __init__(self, store: Path, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._receipts = store.with_name(f"{store.name}-alarms")
        self._patience_seconds = patience_seconds

    def hand_over(self, receipt: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command unless it was run for this receipt; return its exit code, or ``alarm_courier.UNKNOWN``.

        Raises ``StoreUnusable`` where no receipt can be left: nobody could tell then whether it was sent.
        """
        try:
            self._receipts.mkdir(mode=0o750, exist_ok=True)
            return self._run(self._receipts / receipt, command, environment)
        except OSError as fault:
            raise StoreUnusable(f"{self._receipts}: {fault.strerror}; make it a folder we may write") from fault

    def tidy(self, now: datetime) -> None:
        """Remove receipts of long ago."""
        if self._receipts.is_dir():
            for receipt in self._receipts.iterdir():
                if receipt.stat().st_mtime < (now - _RECEIPTS_KEPT).timestamp():
                    receipt.unlink(missing_ok=True)

    def _run(self, receipt: Path, command: Sequence[str], environment: Mapping[str, str]) -> int:
        # In a session of its own, so that what stops the service does not stop it half-way.
        courier = subprocess.Popen(  # noqa: S603 (the site's own command, and no shell)
            [sys.executable, "-I", "-S", alarm_courier.__file__, str(receipt), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | environment,
            start_new_session=True,
            cwd=Path("/"),
        )
        try:
            return courier.wait(self._patience_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(courier.pid, signal.SIGKILL)
            courier.wait()
            return alarm_courier.UNKNOWN
