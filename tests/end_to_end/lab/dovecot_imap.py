"""A real Dovecot that lets people in by IMAP, from whatever holds their passwords."""

import imaplib
import shutil
import subprocess
from pathlib import Path

from lab.waiting import answers, free_port, wait_until

PROGRAM = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
INSTALLED = PROGRAM is not None and Path("/usr/lib/dovecot/imap").exists()
_SETTINGS = """\
base_dir = {home}/run
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
auth_username_chars =
mail_location = maildir:{home}/mail/%u
first_valid_uid = 1
{passdbs}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


class DovecotImap:
    """The server; ``passdbs`` is its (driver, words of its args or a file of settings) in the order it asks them."""

    def __init__(self, home: Path, passdbs: list[tuple[str, str]]) -> None:
        home.mkdir(mode=0o755)
        (home / "mail").mkdir(mode=0o777)
        (home / "mail").chmod(0o777)
        self.settings = home / "dovecot.conf"
        self._port = free_port()
        blocks = "\n".join(self._passdb(home, number, *passdb) for number, passdb in enumerate(passdbs))
        self.settings.write_text(_SETTINGS.format(home=home, passdbs=blocks, port=self._port))
        self._process = subprocess.Popen(
            [PROGRAM or "dovecot", "-F", "-c", str(self.settings)], stdin=subprocess.DEVNULL
        )
        wait_until(lambda: answers(self._port), f"Dovecot; see {home}/dovecot.log")

    def lets_in(self, account: str, password: str) -> bool:
        """Try to log in, really."""
        session = imaplib.IMAP4("127.0.0.1", self._port, timeout=20)
        try:
            session.authenticate("PLAIN", lambda _: f"\0{account}\0{password}".encode())
        except session.error as refusal:
            # "Could not ask" is no refusal: the story would prove nothing.
            assert "AUTHENTICATIONFAILED" in str(refusal), refusal
            return False
        finally:
            session.shutdown()
        return True

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(10)

    @staticmethod
    def _passdb(home: Path, number: int, driver: str, words: str) -> str:
        if driver != "passwd-file":
            file = home / f"passdb-{number}.conf"
            file.write_text(words)
            words = str(file)
        return f"passdb {{\n  driver = {driver}\n  args = {words}\n}}"


def has_driver(name: str) -> bool:
    """Return whether Dovecot can ask such a database."""
    return any(Path("/usr/lib/dovecot/modules").glob(f"**/*{name}*.so"))
