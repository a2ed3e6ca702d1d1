"""The service under test as a process of its own, with its configuration, store and sockets in the test's folder."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.waiting import free_port, wait_until

_SOURCE = Path(__file__).parents[3] / "src"


class Service:
    """``outwarden run`` beside a mail server; ``settings`` is TOML that comes after what every story needs."""

    def __init__(
        self,
        home: Path,
        log: Path,
        settings: str = "",
        gate: str = "",
        resolver: str = "",
        store: Path | None = None,
    ) -> None:
        self.home = home
        self.socket = home / "control.sock"
        self.milter = home / "milter.sock"
        self.words = home / "outwarden.words"
        self.store = store or home / "outwarden.db"
        self.configuration = home / "outwarden.toml"
        # Nobody listens there: no question of a test may leave this machine.
        nobody = f"127.0.0.1:{free_port()}"
        # It stops between the answers of lists: nobody is to wait for those that never come.
        asking = "" if resolver else "deadline_seconds = 0.2\n[blocklists]\nqueries_per_second = 100\n"
        deadline = 300 if resolver else 0
        gate = gate or f'milter = "unix:{self.milter}"\ngroup = "postfix"\ndeadline_milliseconds = {deadline}'
        self.configuration.write_text(
            f'[store]\npath = "{self.store}"\n[control]\nsocket = "{self.socket}"\n[logs]\nfollow = ["{log}"]\n'
            f'queue_seconds = 10\n[dns]\nresolver = "{resolver or nobody}"\n{asking}[gate]\n{gate}\n{settings}\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, until: str = "follows ") -> None:
        """Start it; return when it has said that it is at work, or what ``until`` is."""
        said = self.words.read_text().count(until) if self.words.exists() else 0
        self.launch()
        wait_until(
            lambda: self._ended() or self.says(until, said + 1), f"the service; see {self.words.read_text()}", 30
        )
        assert not self._ended(), self.words.read_text()

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self.words.open("ab") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "outwarden", "-v", "--config", str(self.configuration), "run"],
                stderr=words,
                stdout=words,
                env={**os.environ, "PYTHONPATH": os.environ.get("STUB", "") + str(_SOURCE)},
            )

    def says(self, text: str, times: int = 1) -> bool:
        """Return whether it has said this so many times."""
        return self.words.exists() and self.words.read_text(errors="replace").count(text) >= times

    def kill(self) -> None:
        """End it as a crash does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """End it as systemd does; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)

    def answers(self) -> bool:
        """Return whether it is at its socket."""
        return self.run("--json", "status").returncode == 0

    def ask(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:  # noqa: ANN401 - it is JSON
        """Run a verb against it; return its JSON."""
        done = self.run("--json", *arguments)
        assert done.returncode in codes, done.stderr + self.words.read_text(errors="replace")
        return json.loads(done.stdout)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a verb with its configuration."""
        return subprocess.run(
            [sys.executable, "-m", "outwarden", "-v", "--config", str(self.configuration), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": os.environ.get("STUB", "") + str(_SOURCE)},
        )

    def _ended(self) -> bool:
        return self.process is None or self.process.poll() is not None
