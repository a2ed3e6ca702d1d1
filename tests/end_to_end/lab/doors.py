"""The gate's other doors as a process beside the mail server: started, asked what it saw, killed and started again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.waiting import answers, free_port, wait_until

_ROOT = Path(__file__).parents[3]


class Doors:
    """``policy`` is the socket of the policy service, None where nobody asks it."""

    def __init__(self, home: Path, policy: Path | None = None) -> None:
        self.rspamd, self.readsocket = free_port(), free_port()
        self.policy = policy
        self._seen, self._words = home / "seen", home / "doors.words"
        self._seen.touch()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it listens."""
        program = _ROOT / "tests/end_to_end/10-other-doors/gate.py"
        arguments = [str(self.policy or ""), str(self.rspamd), str(self.readsocket), str(self._seen)]
        with self._words.open("ab") as words:
            environment = {**os.environ, "PYTHONPATH": str(_ROOT / "src")}
            self.process = subprocess.Popen([sys.executable, program, *arguments], env=environment, stderr=words)
        wait_until(lambda: answers(self.rspamd) and answers(self.readsocket), "the gate")
        wait_until(lambda: self.policy is None or self.policy.exists(), "the policy service")

    def stop(self) -> int:
        """End it; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def seen(self) -> list[dict[str, Any]]:
        """Return what it was asked about whole messages."""
        return [json.loads(line) for line in self._seen.read_text().splitlines()]

    def words(self) -> str:
        """Return what it told the operator."""
        return self._words.read_text()
