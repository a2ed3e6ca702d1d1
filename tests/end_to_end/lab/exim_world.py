"""A provider of thirty accounts with a week's past on Exim, which asks the service as ``packaging/exim`` says."""

import os
import re
import smtplib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import lab.exim
import pytest
from lab.exim import Exim, exim_program
from lab.gate_world import ACCOUNTS, ACTING, Provider, letter, password
from lab.past_mail import client_of, friends_of
from lab.service import Service
from lab.smtp_world import Sink
from lab.waiting import wait_until

_PACKAGING = Path(__file__).parents[3] / "packaging/exim"
_ENVIRONMENT = ("LD_PRELOAD", "LD_LIBRARY_PATH", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP", "NSS_WRAPPER_HOSTS")


class EximWorld(Provider):
    """What a story acts on."""

    def __init__(self, home: Path, exim: Exim, sink: Sink, service: Service) -> None:
        super().__init__(home, sink, service)
        self.exim = exim

    @contextmanager
    def session(self, account: str, client: str = "") -> Iterator[smtplib.SMTP]:
        """Log in as an account, from its usual address or another one."""
        with _FromElsewhere(self.exim.port, client or client_of(account, ACCOUNTS)) as smtp:
            smtp.login(account, password(account))
            yield smtp

    def send(
        self, account: str, recipients: Sequence[str], client: str = "", subject: str = "Hello", text: str = "Hello.\n"
    ) -> tuple[int, str]:
        """Hand in one message; return what the client is told: 250, or the code and words of a refusal."""
        try:
            with self.session(account, client) as smtp:
                smtp.sendmail(account, list(recipients), letter(account, recipients, subject, text))
        except smtplib.SMTPRecipientsRefused as refused:
            ((code, words),) = set(refused.recipients.values())
        except smtplib.SMTPDataError as refused:
            code, words = refused.smtp_code, bytes(refused.smtp_error)
        else:
            return 250, ""
        # Exim breaks a long text into lines, each with the status in front.
        return code, re.sub(r"\n\d\.\d\.\d", "", words.decode())

    def frozen(self) -> int:
        """Return how many messages are held."""
        return self.exim.run("-bp").count("*** frozen ***")

    def waiting(self) -> int:
        """Return how many messages are in the queue."""
        return self.exim.run("-bp").count("@isp.example>")


class _FromElsewhere(smtplib.SMTP):
    """A client whose address is what a proxy in front of Exim says (PROXY protocol, version 1)."""

    def __init__(self, port: int, client: str) -> None:
        self._client = client
        super().__init__("127.0.0.1", port, "laptop.example", timeout=30)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        connected.sendall(f"PROXY TCP4 {self._client} {host} 4711 {port}\r\n".encode())
        return connected


@contextmanager
def exim_world(home: Path, monkeypatch: pytest.MonkeyPatch, clients: Sequence[str] = ()) -> Iterator[EximWorld]:
    """Start everything, with the past read; end everything.  ``clients`` are the addresses that are not usual."""
    program = exim_program(content_scanning=True)
    sink = Sink()
    accounts, messages, pauses = home / "accounts.sock", home / "messages.sock", home / "pauses"
    pauses.mkdir()
    for name in ("accounts", "destinations"):
        (pauses / name).touch()
    # Exim looks clients' names up, to tell the gate: here it asks no DNS for them.
    usual = [client_of(account, ACCOUNTS) for account in ACCOUNTS]
    names = "".join(f"{client} client.example\n" for client in (*usual, *clients, sink.address))
    (home / "hosts").write_text(names)
    monkeypatch.setenv("NSS_WRAPPER_HOSTS", str(home / "hosts"))
    monkeypatch.setattr(lab.exim, "_SETTINGS", _prepared(lab.exim._SETTINGS, accounts, messages, pauses))
    service = Service(
        home,
        home / "log/mainlog",
        f'[site]\ndomains = ["isp.example"]\n[mail_server]\nkind = "exim"\n{ACTING}',
        f'readsocket = "unix:{accounts}"\nrspamd = "unix:{messages}"\ngroup = "mail"\ndeadline_milliseconds = 0',
    )
    exim = Exim(home, program, sink, "+received_sender")
    _put_on_path(exim, home, monkeypatch)
    _write_past(home / "log/mainlog.1", datetime.now(UTC))
    try:
        service.start()
        wait_until(lambda: service.says("the past is read"), "the past to be read", 30)
        yield EximWorld(home, exim, sink, service)
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()
        exim.stop()
        sink.stop()


def _prepared(settings: str, accounts: Path, messages: Path, pauses: Path) -> str:
    """Put the parts of both snippets where they say they go."""
    _, macros, recipient, letter = _parts("outwarden-gate.conf")
    macros = macros.replace("/run/outwarden/accounts.sock", str(accounts))
    macros = macros.replace("/run/outwarden/messages.sock", str(messages))
    macros += "host_lookup_order = byaddr\nacl_smtp_data = accept_clean\nacl_not_smtp = accept_clean\n"
    _, folder, freezing, routers = _parts("outwarden-pauses.conf")
    folder = folder.replace("/var/spool/exim4/outwarden", str(pauses))
    first = f"{macros}{folder}hosts_proxy = 127.0.0.1\ndomainlist local_domains = isp.example\n"
    for part, before in (
        (first, "exim_path ="),
        (recipient + freezing, "  accept authenticated = *"),
        (f"accept_clean:\n{letter}  accept\n", "begin routers"),
        (routers, "alias:\n"),
    ):
        assert settings.count(before) == 1
        settings = settings.replace(before, part.replace("{", "{{").replace("}", "}}") + before)
    return settings


def _parts(snippet: str) -> list[str]:
    return re.split(r"^# \d\..*\n(?:#.*\n)*", (_PACKAGING / snippet).read_text(), flags=re.MULTILINE)


def _put_on_path(server: Exim, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service find this instance as exim4, with the environment that it needs here."""
    (home / "bin").mkdir()
    program = home / "bin/exim4"
    exports = "".join(f"export {name}='{server._environment[name]}'\n" for name in _ENVIRONMENT)
    program.write_text(f"#!/bin/sh\n{exports}exec '{server._program}' -C '{server._settings}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")


def _write_past(log: Path, now: datetime) -> None:
    """Write a week in which each account wrote to its friends six times a day, as Exim would have logged it."""
    chance = Random(1)
    mails = sorted(
        (now - timedelta(days=day, minutes=chance.randrange(30, 1400)), account)
        for day in range(7)
        for account in ACCOUNTS
        for _ in range(6)
    )
    with log.open("w") as past:
        for number, (at, account) in enumerate(mails):
            begin = f"{at.astimezone():%Y-%m-%d %H:%M:%S} 1p{number:04d}-000abc-00"
            client, friend = client_of(account, ACCOUNTS), chance.choice(friends_of(account))
            past.write(
                f"{begin} <= {account} H=(laptop.example) [{client}] P=esmtpa A=plain:{account} "
                f"S={chance.randrange(900, 9000)} from <{account}>\n"
                f"{begin} => {friend} R=out T=remote H=192.0.2.25 [192.0.2.25] "
                f'C="250 2.0.0 Ok: queued as 5F3A11C0DE"\n{begin} Completed\n'
            )
