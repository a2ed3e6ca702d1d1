"""What the tests ask of every real mail server: what its log says, and what its program prints."""

import subprocess
from pathlib import Path


class MailServer:
    """One instance; ``log`` is the file that ``outwarden`` is given to read."""

    log: Path

    def log_says(self, text: str, times: int = 1) -> bool:
        """Say whether the log has that text, so many times."""
        return self.log.exists() and self.log.read_text(errors="replace").count(text) >= times


class UnpackedServer(MailServer):
    """One whose program is a copy in the test's folder and needs an environment to find its users or host."""

    _program: Path
    _settings: Path
    _environment: dict[str, str]

    def run(self, *arguments: str, text: str = "") -> str:
        """Run the program once with these arguments; return what it prints."""
        done = subprocess.run(
            [self._program, "-C", self._settings, *arguments],
            env=self._environment,
            input=text,
            text=True,
            check=True,
            capture_output=True,
        )
        return done.stdout
