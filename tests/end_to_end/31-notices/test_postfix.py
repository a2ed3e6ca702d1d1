"""A real Postfix takes a notice and delivers it; one for an address that is not there comes back to its own address."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from lab.postfix import Postfix
from lab.smtp_world import Sink
from lab.waiting import wait_until

from outwarden.responses.notices.bounce_address import BounceAddresses
from outwarden.responses.notices.facts import Language, NoticeKind
from outwarden.responses.notices.guards import Caps, Hindrance, History, may_send
from outwarden.responses.notices.letter import letter, plain_text
from outwarden.responses.notices.message import AnotherMailbox, Letterhead, OutgoingNotice, TheMailboxItself, compose
from outwarden.responses.notices.sample import SAMPLE_PLACES, sample_facts
from outwarden.responses.notices.smtp import HandedOver, Handover, hand_over
from outwarden.responses.notices.texts import load_templates
from outwarden.service.message_reading import read_message
from outwarden.sources.message.mark import HEADER, MarkKeys, mark

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Postfix needs root"),
    pytest.mark.skipif(not shutil.which("postfix", path="/usr/sbin"), reason="postfix is not installed"),
]
KEYS = [b"k" * 32]
BOUNCES = BounceAddresses("notices+{token}@isp.example", KEYS)
TEMPLATES = load_templates()
LETTER = letter(
    TEMPLATES,
    NoticeKind.STOLEN_ACCOUNT,
    Language.ITALIAN,
    sample_facts(NoticeKind.STOLEN_ACCOUNT),
    SAMPLE_PLACES[True],
    ZoneInfo("Europe/Rome"),
)
AT = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)


class Site(NamedTuple):
    """The mail server, and the world."""

    postfix: Postfix
    sink: Sink

    def send(self, notice: OutgoingNotice) -> HandedOver:
        return hand_over(notice, port=self.postfix.smtp, seconds=20)

    def mailbox(self) -> list[EmailMessage]:
        """What came to addresses of the site itself."""
        folder = self.postfix.home / "mail/all/new"
        read = [message_from_bytes(each.read_bytes(), policy=default) for each in sorted(folder.glob("*"))]
        return [each for each in read if isinstance(each, EmailMessage)]


@pytest.fixture
def site(home: Path) -> Iterator[Site]:
    sink = Sink()
    # A recipient with a token is that of the address before it.
    postfix = Postfix(home, sink, settings="recipient_delimiter = +\nmaximal_queue_lifetime = 1h\n")
    postfix.start(filter_port=postfix.filter)
    yield Site(postfix, sink)
    postfix.stop()
    sink.stop()


def notice(number: int, to: AnotherMailbox | TheMailboxItself, sender: str) -> OutgoingNotice:
    field = f"{HEADER}: {mark(MarkKeys(KEYS), 'notices@isp.example', 'mail.isp.example', AT, b'n' * 12)}"
    head = Letterhead(name="Servizio clienti", address="notices@isp.example", reply_to="help@isp.example")
    return compose(
        LETTER, TEMPLATES, to, head,
        reference="OW-2041", message_id=f"n{number}", at=AT, sender=sender, mark=field,
    )  # fmt: skip


def test_a_notice_arrives_and_the_bounce_of_one_is_known_by_its_address(site: Site) -> None:
    second, home = AnotherMailbox("rosa@home.example"), AnotherMailbox("unknown-rosa@home.example")

    # The first contact is not there any more: its bounce comes to the address of this notice.
    assert site.send(notice(17, home, BOUNCES.of(17))).how is Handover.TAKEN
    wait_until(lambda: len(site.mailbox()) == 1, "the bounce")
    (bounce,) = site.mailbox()
    assert BOUNCES.notice(str(bounce["Delivered-To"])) == 17
    assert bounce["Return-Path"] == "<>"
    read = read_message("bounce", bounce.as_bytes(), MarkKeys(KEYS))
    assert (read.ours, read.account) == (True, "notices@isp.example")

    # So the next contact is told, and the first is left alone.
    history = History(bounced=[home.address])
    assert may_send(history, Caps(), NoticeKind.STOLEN_ACCOUNT, "rosa@isp.example", home, AT) is Hindrance.BOUNCED
    assert may_send(history, Caps(), NoticeKind.STOLEN_ACCOUNT, "rosa@isp.example", second, AT) is None
    assert site.send(notice(18, second, BOUNCES.of(18))).how is Handover.TAKEN
    wait_until(lambda: len(site.sink.accepted) == 1, "the notice")
    assert site.sink.accepted[0].sender == BOUNCES.of(18)
    arrived = message_from_bytes(site.sink.letters[0].removesuffix(b".\r\n"), policy=default)
    assert (arrived["Auto-Submitted"], arrived["Subject"]) == ("auto-generated", LETTER.subject)
    text, page = arrived.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == plain_text(LETTER)
    assert '<html lang="it">' in page.get_content()


def test_a_notice_of_the_null_sender_comes_back_to_nobody(site: Site) -> None:
    assert site.send(notice(19, AnotherMailbox("unknown-jan@home.example"), "")).how is Handover.TAKEN
    wait_until(lambda: site.postfix.log_says("removed"), "the end of the notice")
    assert (site.mailbox(), site.sink.accepted) == ([], [])


def test_the_mailbox_itself_gets_the_notice_without_a_link(site: Site) -> None:
    assert site.send(notice(20, TheMailboxItself("rosa@isp.example"), "")).how is Handover.TAKEN
    wait_until(lambda: len(site.mailbox()) == 1, "the notice")
    assert site.mailbox()[0]["Message-ID"] == "<n20@isp.example>"
