"""The gate's other doors as a process beside the mail server: started, asked what it saw, killed and started again."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.waiting import answers, wait_until

_ROOT = Path(__file__).parents[3]


class Doors:
    """``places`` are the doors by name, each with its socket or its port; ``group`` may speak to the sockets."""

    def __init__(self, home: Path, group: str, places: dict[str, Path | int]) -> None:
        self.places = places
        self._group, self._seen, self._words = group, home / "seen", home / "doors.words"
        self._seen.touch()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it listens."""
        program = _ROOT / "tests/end_to_end/10-other-doors/gate.py"
        places = [f"{name}={place}" for name, place in self.places.items()]
        with self._words.open("ab") as words:
            environment = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}
            arguments = [sys.executable, program, self._seen, self._group, *places]
            self.process = subprocess.Popen(arguments, env=environment, stderr=words)
        wait_until(lambda: all(map(_listens, self.places.values())), "the gate")

    def stop(self) -> int:
        """End it; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def connect(self, name: str) -> socket.socket:
        """Return a connection of one's own to a door."""
        place = self.places[name]
        if isinstance(place, int):
            return socket.create_connection(("127.0.0.1", place))
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(str(place))
        return connected

    def seen(self) -> list[dict[str, Any]]:
        """Return what it was asked about whole messages."""
        return [json.loads(line) for line in self._seen.read_text().splitlines()]

    def words(self) -> str:
        """Return what it told the operator."""
        return self._words.read_text()


def _listens(place: Path | int) -> bool:
    if isinstance(place, int):
        return answers(place)
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(place)) == 0
