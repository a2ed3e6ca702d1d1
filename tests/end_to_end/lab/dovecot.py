"""A real Dovecot that does nothing but check passwords for Postfix (SASL)."""

import shutil
import subprocess
from pathlib import Path

from lab.waiting import wait_until

_SETTINGS = """\
base_dir = {home}/run
log_path = {home}/dovecot.log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home=/nonexistent
}}
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


class Dovecot:
    """Dovecot's auth service on a UNIX socket."""

    def __init__(self, home: Path, socket: Path, accounts: dict[str, str]) -> None:
        home.mkdir()
        (home / "users").write_text("".join(f"{login}:{password}\n" for login, password in accounts.items()))
        (home / "users").chmod(0o644)
        settings = home / "dovecot.conf"
        settings.write_text(_SETTINGS.format(home=home, socket=socket))
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin") or "dovecot"
        self._process = subprocess.Popen([program, "-F", "-c", str(settings)], stdin=subprocess.DEVNULL)
        wait_until(socket.exists, f"Dovecot's socket; see {home}/dovecot.log")

    def stop(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(10)
