"""The mail server of a machine is found by its files and by what its programs answer.

The machine is a folder laid out like one, and its programs are small scripts that answer as the
real ones do.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.service.local_mta import LocalMta, Programs, find_local_mta, journal_blocks, queue_listing

NOW = datetime(2026, 4, 7, 12, tzinfo=UTC)


class Machine:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.programs = Programs(str(self.bin))

    def log(self, place: str, age: timedelta = timedelta(0), text: str = "a line\n") -> str:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written = (NOW - age).timestamp()
        os.utime(path, (written, written))
        return str(path)

    def program(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def look(self) -> LocalMta:
        return find_local_mta(NOW, self.programs, self.root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    "place", ["var/log/mail.log", "var/log/maillog", "var/log/exim4/mainlog", "var/log/exim/main.log", "var/log/mail"]
)
def test_a_log_is_found_where_distributions_put_it(machine: Machine, place: str) -> None:
    log = machine.log(place)
    assert machine.look().log_files == (log,)


def test_the_log_of_the_mail_server_itself_comes_first(machine: Machine) -> None:
    machine.log("var/log/mail.log")
    log = machine.log("var/log/exim4/mainlog", timedelta(hours=3))
    assert machine.look().log_files == (log,)


def test_a_log_that_nobody_writes_any_more_does_not(machine: Machine) -> None:
    machine.log("var/log/exim4/mainlog", timedelta(days=40))
    log = machine.log("var/log/mail.log")
    assert machine.look().log_files == (log,)


def test_of_old_logs_the_newest_is_taken(machine: Machine) -> None:
    machine.log("var/log/exim4/mainlog", timedelta(days=40))
    log = machine.log("var/log/mail.log", timedelta(days=30))
    assert machine.look().log_files == (log,)


def test_postfix_is_asked_for_a_log_of_its_own(machine: Machine) -> None:
    machine.log("var/log/mail.log")
    log = machine.log("srv/postfix.log")
    machine.program("postconf", f'[ "$1 $2" = "-h maillog_file" ] && echo {log}')
    assert machine.look().log_files == (log,)


def test_a_postfix_that_logs_to_its_container_is_not_followed(machine: Machine) -> None:
    log = machine.log("var/log/mail.log")
    machine.program("postconf", "echo /dev/stdout")
    assert machine.look().log_files == (log,)


def test_last_weeks_rotated_files_come_before_it_oldest_first(machine: Machine) -> None:
    log = machine.log("var/log/mail.log")
    one = machine.log("var/log/mail.log.1", timedelta(days=1))
    two = machine.log("var/log/mail.log.2.gz", timedelta(days=2))
    machine.log("var/log/mail.log.9.gz", timedelta(days=9))
    machine.log("var/log/mail.log.bak", timedelta(days=1))
    assert machine.look().log_files == (two, one, log)


def test_dated_rotation(machine: Machine) -> None:
    log = machine.log("var/log/maillog")
    dated = machine.log("var/log/maillog-20260405", timedelta(days=2))
    assert machine.look().log_files == (dated, log)


def test_empty_logs_are_passed_over_and_said(machine: Machine) -> None:
    empty = machine.log("var/log/mail.log", text="")
    found = machine.look()
    assert found.log_files == ()
    assert f"{empty}: empty" in found.looked_at


def test_the_journal_is_read_where_there_is_no_file(machine: Machine) -> None:
    machine.program("journalctl", "printf '%s\\n' \"$@\"")
    found = machine.look()
    assert found.log_files == ()
    assert found.looked_at[-1] == "the journal: mail of the last 2 days"
    read: list[int] = []
    printed = b"".join(journal_blocks(found.journal, read.append)).decode().split("\n")
    assert printed[:-1] == ["--output=json", "--no-pager", "--quiet", "--since=-2d", "SYSLOG_FACILITY=2"]
    assert sum(read) == len("\n".join(printed))


def test_a_journal_without_mail_is_none(machine: Machine) -> None:
    machine.program("journalctl", "true")
    found = machine.look()
    assert found.journal == ()
    assert found.looked_at[-1] == "the journal: no mail in the last 2 days, or no right to see it"


def test_it_says_what_it_looked_at_when_there_is_nothing(machine: Machine) -> None:
    looked_at = machine.look().looked_at
    assert looked_at[0] == "postconf: no Postfix"
    assert f"{machine.root}/var/log/mail.log: not there" in looked_at
    assert looked_at[-1] == "journalctl: not there"


QUEUES = [
    ("Postfix", "postqueue", '[ "$1" = -j ] && echo json', ("postqueue -j", b"json\n")),
    ("Exim on Debian", "exim4", '[ "$1" = -bp ] && echo listing', ("exim4 -bp", b"listing\n")),
    ("Exim elsewhere", "exim", '[ "$1" = -bp ] && echo listing', ("exim -bp", b"listing\n")),
    ("Sendmail", "mailq", "echo listing", ("mailq", b"listing\n")),
    ("an empty queue", "exim", "true", ("exim -bp", b"")),
    ("no right to", "mailq", "echo denied >&2; exit 69", None),
]


@pytest.mark.parametrize(("name", "program", "script", "expected"), QUEUES)
def test_queue(machine: Machine, name: str, program: str, script: str, expected: tuple[str, bytes] | None) -> None:
    machine.program(program, script)
    assert queue_listing(machine.programs) == expected


def test_a_program_that_hangs_is_given_up(machine: Machine) -> None:
    machine.program("mailq", "exec sleep 60")
    assert Programs(str(machine.bin), answer_seconds=0.2).answer("mailq") is None


def test_an_argument_is_never_read_by_a_shell(machine: Machine) -> None:
    machine.program("echo", "printf '%s' \"$1\"")
    assert machine.programs.answer("echo", "$(id); `id`") == b"$(id); `id`"
