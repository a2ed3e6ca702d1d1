"""A provider of thirty accounts with a week's past: Postfix, Dovecot, the remote world, the service at the gate."""

import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from lab.dovecot import Dovecot
from lab.past_mail import MESSAGES_A_DAY, client_of, friends_of, write_past
from lab.postfix import Postfix
from lab.service import Service
from lab.smtp_world import Sink
from lab.waiting import free_port, wait_until

ROSA = "rosa@isp.example"
ACCOUNTS = (ROSA, "jan@isp.example", *(f"person{number:02d}@isp.example" for number in range(28)))
ACTING = '[acting]\nhold = "act"\nblock = "act"\nlimit = "act"\ncontact = "the help desk, 555-0100"\n'


def password(account: str) -> str:
    """Return what an account logs in with."""
    return f"secret of {account}"


class Provider:
    """What people do, whichever mail server they hand in at."""

    def __init__(self, home: Path, sink: Sink, service: Service) -> None:
        self.home, self.sink, self.service = home, sink, service

    def send(
        self, account: str, recipients: Sequence[str], client: str = "", subject: str = "Hello", text: str = "Hello.\n"
    ) -> tuple[int, str]:
        """Hand in one message; return what the client is told: 250, or the code and words of a refusal."""
        raise NotImplementedError

    def write_home(self, account: str, number: int = 0) -> tuple[int, str]:
        """Write what the account always writes: to a friend, from the usual place."""
        return self.send(account, [friends_of(account)[number]], subject="As ever", text=f"See you at {number}.\n")

    def arrived(self, account: str) -> list[str]:
        """Return the recipients whom the remote world took mail of an account for."""
        return [one for each in list(self.sink.accepted) if each.sender == account for one in each.recipients]


def letter(account: str, recipients: Sequence[str], subject: str, text: str) -> bytes:
    """Return a message."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = account, recipients[0], subject
    message.set_content(text)
    return message.as_bytes()


class GateWorld(Provider):
    """What a story acts on."""

    def __init__(self, home: Path, postfix: Postfix, sink: Sink, service: Service) -> None:
        super().__init__(home, sink, service)
        self.postfix = postfix

    @contextmanager
    def session(self, account: str, client: str = "") -> Iterator[smtplib.SMTP]:
        """Log in as an account, from its usual address or another one."""
        address = client or client_of(account, ACCOUNTS)
        with smtplib.SMTP("127.0.0.1", self.postfix.submission, "laptop.example", timeout=30) as smtp:
            smtp.ehlo()
            # Postfix believes this of the loopback alone; the whole log and the gate then see that address.
            code, words = smtp.docmd("XCLIENT", f"ADDR={address} NAME=[UNAVAILABLE]")
            assert code == 220, words
            smtp.ehlo()
            smtp.login(account, password(account))
            yield smtp

    def send(
        self, account: str, recipients: Sequence[str], client: str = "", subject: str = "Hello", text: str = "Hello.\n"
    ) -> tuple[int, str]:
        """Hand in one message; return what the client is told: 250, or the code and words of a refusal."""
        try:
            with self.session(account, client) as smtp:
                smtp.sendmail(account, list(recipients), letter(account, recipients, subject, text))
        except smtplib.SMTPSenderRefused as refused:
            return refused.smtp_code, _words(refused.smtp_error)
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, words),) = set(refused.recipients.values())
            return code, _words(words)
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code, _words(refused.smtp_error)
        return 250, ""


@contextmanager
def gate_world(
    home: Path,
    settings: str = ACTING,
    gate: str = "",
    postfix_settings: str = "",
    past: bool = True,
    fallback: str = "tempfail",
    store: Path | None = None,
    resolver: str = "",
    started: bool = True,
    messages_a_day: int = MESSAGES_A_DAY,
) -> Iterator[GateWorld]:
    """Start everything, with the past read; end everything.  ``fallback`` is Postfix's without a milter.

    Without a ``resolver`` no list is asked.  Not ``started``: the service is there, and does not run yet.  In the past
    each account has handed in ``messages_a_day``.
    """
    sink = Sink()
    service = Service(
        home,
        home / "maillog",
        f'[site]\ndomains = ["isp.example"]\n[mail_server]\nkind = "postfix"\npostfix_config = "{home}/etc"\n'
        f"{settings}",
        gate,
        resolver,
        store,
    )
    milters = "" if gate else f"smtpd_milters = unix:{service.milter}\nnon_smtpd_milters = unix:{service.milter}\n"
    postfix = Postfix(
        home,
        sink,
        settings=f"{milters}milter_default_action = {fallback}\nsmtpd_authorized_xclient_hosts = 127.0.0.1\n"
        f"smtpd_client_message_rate_limit = 0\n{postfix_settings}",
    )
    if past:
        write_past(home / "maillog.1", ACCOUNTS, datetime.now(UTC), messages_a_day=messages_a_day)
    dovecot = Dovecot(home / "dovecot", postfix.socket, {account: password(account) for account in ACCOUNTS})
    postfix.start(free_port())
    try:
        if started:
            service.start()
        if started and past:
            wait_until(lambda: service.says("the past is read"), "the past to be read", 30)
        yield GateWorld(home, postfix, sink, service)
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()
        postfix.stop()
        dovecot.stop()
        sink.stop()


def _words(said: bytes | str) -> str:
    return said.decode() if isinstance(said, bytes) else said
