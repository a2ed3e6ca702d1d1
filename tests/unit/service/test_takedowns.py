"""Reports of abuse: sent once, to the next contact when one fails, a few a day, and never twice after a crash."""

from __future__ import annotations

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
from tests.unit.dns.test_abuse_report import LOG, MESSAGE, TARGET, US

from outwarden.dns.abuse_report import Evidence, read_evidence
from outwarden.events import AccountKind, Attempted, Outcome, RefusalClass, Submitted
from outwarden.service.acting import CouldNotAct, NotAllowed, NothingFound
from outwarden.service.settings import ConfigurationError, load
from outwarden.service.takedowns import SAME_TARGET_AFTER, TakedownDesk, takedown_site
from outwarden.store.ingest import Checkpoint
from outwarden.store.store import Store
from outwarden.store.takedowns import MailState

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
DAY = timedelta(days=1)
CONTACTS = ("desk@net.example", "noc@net.example")


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail; ``refuses`` says which recipients, ``answer`` what it says to a mail."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.refuses: set[str] = set()
        self.answer = "250 2.0.0 Ok: queued as 4jYgAA1bcdz"
        self.got: list[tuple[str, bytes]] = []


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 here")
        recipient = ""
        for raw in self.rfile:
            line = raw.decode().strip()
            verb = line.upper()
            if verb.startswith("RCPT"):
                recipient = line.partition("<")[2].partition(">")[0]
                self._say("550 5.1.1 nobody" if recipient in self.server.refuses else "250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                self.server.got.append((recipient, self._mail()))
                self._say(self.server.answer)
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _mail(self) -> bytes:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw.removeprefix(b"."))
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


class Office:
    def __init__(self, folder: Path, server: MailServer, more: str = "") -> None:
        file = folder / "outwarden.toml"
        file.write_text(f'[takedown]\nsmtp = "127.0.0.1:{server.server_address[1]}"\n{more}\n')
        self.store, self.clock, self.server = Store(folder / "store.db"), Clock(), server
        self.desk = TakedownDesk(self.store, takedown_site(load(file, {}), US), self.clock)

    def report(self, evidence: str = LOG, *, again: bool = False) -> list[tuple[str, str]]:
        return mails(self.desk.report(TARGET, read(evidence), CONTACTS, "kim", again=again))


def read(text: str) -> Evidence:
    return read_evidence(text.encode(), TARGET)


def mails(sent: object) -> list[tuple[str, str]]:
    return [(mail.contact, mail.state.value) for mail in sent.mails]  # type: ignore[attr-defined]


@pytest.fixture
def office(tmp_path: Path, server: MailServer) -> Iterator[Office]:
    found = Office(tmp_path, server, "most_per_day = 3")
    yield found
    found.store.close()


@pytest.mark.parametrize("evidence", [LOG, MESSAGE], ids=["log lines", "a message"])
def test_what_they_get(office: Office, evidence: str) -> None:
    assert office.report(evidence) == [(CONTACTS[0], "sent")]
    ((to, octets),) = office.server.got
    mail = email.message_from_bytes(octets, policy=default)
    parts = list(mail.walk())
    assert (to, mail["From"], mail["To"]) == (CONTACTS[0], f"{US.org} <{US.contact}>", CONTACTS[0])
    assert mail["Auto-Submitted"] == "auto-generated"
    (xarf,) = [json.loads(part.get_content()) for part in parts if part.get_content_type() == "application/json"]
    assert (xarf["source_identifier"], xarf["xarf_version"]) == (TARGET, "4.2.0")
    assert mail["Message-ID"] == f"<takedown-{xarf['report_id']}@{US.domain}>"
    if evidence is MESSAGE:
        assert mail.get_content_type() == "multipart/report"
        assert mail.get_param("report-type") == "feedback-report"
        assert [part.get_content_type() for part in mail.iter_parts()] == [
            "text/plain", "message/feedback-report", "text/rfc822-headers", "application/json",
        ]  # fmt: skip
        # RFC 5965 section 3.1 and 3.2; the port: RFC 6692.
        feedback = octets.decode().partition("Content-Type: message/feedback-report")[2].partition("\r\n\r\n")[2]
        fields = dict(line.split(": ", 1) for line in feedback.partition("\r\n--")[0].strip().split("\r\n"))
        assert (fields["Feedback-Type"], fields["Version"]) == ("abuse", "1")
        assert (fields["Source-IP"], fields["Source-Port"]) == (TARGET, "50213")
        assert fields["Original-Mail-From"] == "<spam@bad.example>"
    # Whom the spam went to is hidden, in every part.
    assert b"rosa@us.example" not in octets.lower()
    assert b"tim@us.example" not in octets


def test_the_same_incident_is_reported_once(office: Office) -> None:
    office.report()
    with pytest.raises(NotAllowed, match="this incident was reported as 1"):
        office.report(again=True)
    with pytest.raises(NotAllowed, match=r"was reported as 1, .* give them a week, or say --again"):
        office.report(MESSAGE)
    assert office.report(MESSAGE, again=True) == [(CONTACTS[0], "sent")]
    office.clock.now += SAME_TARGET_AFTER + DAY
    with pytest.raises(NotAllowed, match="this incident was reported as 1"):
        office.report()


def test_the_next_contact_when_one_is_refused(office: Office) -> None:
    office.server.refuses = {CONTACTS[0]}
    assert office.report() == [(CONTACTS[0], "refused"), (CONTACTS[1], "sent")]


def test_a_person_has_to_look_when_nobody_takes_it(office: Office) -> None:
    office.server.refuses = set(CONTACTS)
    with pytest.raises(CouldNotAct, match=r"no contact for 192.0.2.10 took it; a person has to look"):
        office.report()


def test_the_next_contact_when_the_log_says_that_it_bounced(office: Office) -> None:
    office.report()
    whose = {"host": "mx", "queue_id": "4jYgAA1bcdz", "account": "abuse@us.example", "kind": AccountKind.ADDRESS}
    submitted = Submitted(at=NOW, **whose)
    attempted = Attempted(
        at=NOW + timedelta(minutes=1), recipient=CONTACTS[0].upper(), outcome=Outcome.BOUNCED,
        refusal_class=RefusalClass.UNKNOWN_RECIPIENT, status="5.1.1", reply="no such user", **whose,
    )  # fmt: skip
    office.store.ingest.write(Checkpoint(NOW, events=[submitted, attempted]))
    assert office.desk.follow() == ["report 1: desk@net.example bounced; sent to noc@net.example"]
    assert mails(office.desk.sent(1)) == [(CONTACTS[0], "bounced"), (CONTACTS[1], "sent")]
    # That the second mail has the same ID here is of the server in this test; it was not sent to whom bounced.
    assert office.desk.follow() == []


def test_put_off_and_sent_later(office: Office) -> None:
    office.server.answer = "451 4.3.0 later"
    with pytest.raises(CouldNotAct, match=r"put off: 451 4.3.0 later; outwarden takedowns send 1 tries again"):
        office.report()
    office.server.answer = "250 ok"
    assert mails(office.desk.go_on(1)) == [(CONTACTS[0], "put-off"), (CONTACTS[0], "sent")]
    with pytest.raises(NotAllowed, match=r"it was sent to desk@net.example"):
        office.desk.go_on(1)


def test_what_was_begun_when_the_machine_went_down_is_not_sent_again(office: Office) -> None:
    takedown = office.desk.report(TARGET, read(LOG), CONTACTS, "kim").takedown
    with office.store.writing():
        office.store.takedowns.begin_mail(takedown, CONTACTS[1], NOW)
    with pytest.raises(NotAllowed, match=r"it was sent to noc@net.example \(begun\); mark that as bounced first"):
        office.desk.go_on(takedown.id)
    assert len(office.server.got) == 1


def test_no_more_than_so_many_a_day(office: Office) -> None:
    for number in range(3):
        office.report(LOG.replace("4jYg", f"4jY{number}"), again=True)
    with pytest.raises(NotAllowed, match="3 reports were sent within a day"):
        office.report(LOG.replace("4jYg", "4jYx"), again=True)
    office.clock.now += DAY + timedelta(seconds=1)
    assert office.report(LOG.replace("4jYg", "4jYx"), again=True) == [(CONTACTS[0], "sent")]


def test_what_is_not_fit_is_not_sent(office: Office) -> None:
    with pytest.raises(NotAllowed, match="not fit to be sent: it lacks proof"):
        office.report(LOG.replace(TARGET, "192.0.2.99"))
    with pytest.raises(NotAllowed, match="nobody is known to write to"):
        office.desk.report(TARGET, read(LOG), (), "kim")
    assert office.store.takedowns.newest(9) == []


def test_a_contact_cannot_put_anything_into_the_mail(office: Office) -> None:
    evil = ("a@b.example\r\nBcc: all@us.example", CONTACTS[1])
    assert mails(office.desk.report(TARGET, read(LOG), evil, "kim")) == [(evil[0], "refused"), (CONTACTS[1], "sent")]
    assert len(office.server.got) == 1


def test_answers_and_the_audit_log(office: Office) -> None:
    office.report()
    assert office.desk.answered(1, "kim", "they cleaned it").takedown.answer == "they cleaned it"
    with pytest.raises(NothingFound, match="there is no report 2"):
        office.desk.answered(2, "kim", "")
    assert [(entry.actor, entry.after) for entry in office.store.audit.entries()] == [
        ("kim", "begun, takedown 1"),
        ("kim", "sent to desk@net.example, takedown 1"),
        ("kim", "answered, takedown 1"),
    ]
    assert office.store.takedowns.mails(office.desk.sent(1).takedown)[0].state is MailState.SENT


def test_a_server_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[takedown]\nsmtp = "nowhere"\n')
    with pytest.raises(ConfigurationError, match=r"wrong.toml:2: takedown.smtp: 'nowhere' is not HOST:PORT"):
        takedown_site(load(file, {}), US)
