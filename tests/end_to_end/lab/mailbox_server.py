"""A real Dovecot as a provider has it: IMAP, sieve, its logins for Postfix, and a memory of right passwords."""

import imaplib
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.smtp_world import Sink
from lab.waiting import answers, free_port, wait_until

PROGRAM = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
_NEEDED = (Path("/usr/lib/dovecot/imap"), Path("/usr/lib/dovecot/libdovecot-sieve.so"))
INSTALLED = PROGRAM is not None and all(each.exists() for each in _NEEDED)
_SETTINGS = """\
base_dir = {home}/run
log_path = {home}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 1M
auth_cache_ttl = 1 hour
mail_location = maildir:~/Maildir
first_valid_uid = 1
submission_host = {sink.address}:{sink.port}
postmaster_address = postmaster@isp.example
hostname = mail.isp.example
{passdbs}
userdb {{
  driver = static
  args = uid=mail gid=mail home={home}/mail/%u
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
}}
protocol lda {{
  mail_plugins = sieve
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
service auth {{
  unix_listener {socket} {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"""


class MailboxServer:
    """The server; ``passdbs`` are files of settings of its SQL, in the order in which it asks them."""

    def __init__(self, home: Path, socket: Path, sink: Sink, passdbs: list[tuple[str, str]]) -> None:
        home.mkdir(mode=0o755)
        (home / "mail").mkdir()
        shutil.chown(home / "mail", "mail", "mail")
        self.home, self.settings, self.port = home, home / "dovecot.conf", free_port()
        blocks = "\n".join(self._passdb(number, words) for number, (_, words) in enumerate(passdbs))
        self.settings.write_text(_SETTINGS.format(home=home, socket=socket, sink=sink, passdbs=blocks, port=self.port))
        self._process = subprocess.Popen(
            [PROGRAM or "dovecot", "-F", "-c", str(self.settings)], stdin=subprocess.DEVNULL
        )
        self._sessions: list[imaplib.IMAP4] = []
        wait_until(lambda: answers(self.port) and socket.exists(), f"Dovecot; see {home}/dovecot.log")

    def log_in(self, account: str, password: str) -> imaplib.IMAP4 | None:
        """Return a session, None where the account is not let in."""
        session = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        try:
            session.login(account, password)
        except session.error as refusal:
            # "Could not ask" is no refusal: the story would prove nothing.
            assert "AUTHENTICATIONFAILED" in str(refusal), refusal
            session.shutdown()
            return None
        session.select()
        self._sessions.append(session)
        return session

    def lets_in(self, account: str, password: str) -> bool:
        """Log in, and out again."""
        session = self.log_in(account, password)
        if session is not None:
            session.logout()
        return session is not None

    def doveadm(self, *arguments: str, given: bytes = b"") -> str:
        """Run Dovecot's own command."""
        done = subprocess.run(
            ["doveadm", "-c", str(self.settings), *arguments], input=given, capture_output=True, check=True
        )
        return done.stdout.decode()

    def deliver(self, account: str, subject: str) -> None:
        """Put a message into a mailbox, through its sieve script."""
        letter = f"From: <jan@isp.example>\r\nTo: <{account}>\r\nSubject: {subject}\r\n\r\nHello.\r\n"
        subprocess.run(
            ["/usr/lib/dovecot/dovecot-lda", "-c", str(self.settings), "-f", "jan@isp.example", "-d", account, "-e"],
            input=letter.encode(),
            capture_output=True,
            check=True,
        )

    def stop(self) -> None:
        """End the server."""
        for session in self._sessions:
            with suppress(OSError, imaplib.IMAP4.error):
                session.shutdown()
        self._process.terminate()
        self._process.wait(10)

    def _passdb(self, number: int, words: str) -> str:
        file = self.home / f"passdb-{number}.conf"
        file.write_text(words)
        return f"passdb {{\n  driver = sql\n  args = {file}\n}}"


def is_alive(session: imaplib.IMAP4) -> bool:
    """Return whether a session answers still."""
    try:
        return session.noop()[0] == "OK"
    except (imaplib.IMAP4.abort, OSError):
        return False


@contextmanager
def handing_in(port: int, account: str, password: str) -> Iterator[smtplib.SMTP | None]:
    """Log in to hand in mail; None where that is refused."""
    with smtplib.SMTP("127.0.0.1", port, "laptop.example", timeout=30) as session:
        try:
            session.login(account, password)
        except smtplib.SMTPAuthenticationError:
            yield None
        else:
            yield session
