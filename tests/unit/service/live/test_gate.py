"""What the gate makes of a message: the event that the judge hears."""

import asyncio
import base64
import hashlib
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from inspect import isawaitable
from pathlib import Path

import pytest
from tests.unit.service.automatic.deeds import JAN, NOW, ROSA

from outwarden.detection.baseline.server_record import ServerRecord
from outwarden.detection.filter_watch import FilterWatch
from outwarden.detection.limits import Limits
from outwarden.detection.live import Judge, Policy
from outwarden.events import Link, LinkKind, Mailbox, Submitted
from outwarden.filter import Accept, Envelope, Spool, SpoolSpace, Verdict
from outwarden.service.automatic.book import Book
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.gate import Gate
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.settings import Configuration, Settings
from outwarden.sources.network_table import read_network_table

INVOICE = b"MZ\x90\x00 not an invoice at all"
DIGEST = hashlib.sha256(INVOICE).hexdigest()
BAD = Link(LinkKind.ATTACHMENT, DIGEST, listed=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreThread]:
    thread = StoreThread(tmp_path / "outwarden.db")
    thread.open()
    yield thread
    thread.close()


class Door:
    """A gate that only observes; what it is handed ends in ``heard``."""

    def __init__(self, store: StoreThread, folder: Path, listed: Collection[str] = ()) -> None:
        policy = Policy()
        configuration = Configuration(Settings(), (), None)
        self.accounts = Accounts(Judge(policy), Limits(policy.limits), ServerRecord(), FilterWatch(), "mx")
        book = store.run_now(Book.load)
        following = Following(
            self.accounts, book, store, ThreadPoolExecutor(1), configuration, lambda: NOW, lambda _: None
        )
        self.gate = Gate(self.accounts, None, following, lambda: NOW, listed_files=lambda: listed)
        self._folder = folder

    async def hand_in(self, message: EmailMessage) -> Verdict:
        envelope = Envelope(
            login=ROSA, sender=Mailbox(ROSA), client_address="192.0.2.7", recipients=(Mailbox(JAN),), recipient_count=1
        )
        spool = Spool(SpoolSpace(self._folder))
        spool.write(message.as_bytes().replace(b"\n", b"\r\n"))
        decided = self.gate.decide_message(envelope, spool)
        return await decided if isawaitable(decided) else decided

    def heard(self) -> Submitted:
        (event,) = self.accounts.checkpoint(NOW)[0].events
        assert isinstance(event, Submitted)
        return event


def letter(*attachments: bytes) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ROSA, JAN, "Invoice"
    message.set_content("See https://www.shop.example/invoice\n")
    for each in attachments:
        message.add_attachment(each, maintype="application", subtype="pdf", filename="invoice.pdf")
    return message


ATTACHED = [
    ("on the list", {DIGEST}, (INVOICE,), [BAD]),
    ("twice", {DIGEST}, (INVOICE, b"%PDF", INVOICE), [BAD]),
    ("not on it", {DIGEST}, (INVOICE + b" ",), []),
    ("no list", (), (INVOICE,), []),
    ("as text", {DIGEST}, (base64.b64encode(INVOICE),), []),
]


@pytest.mark.parametrize(("what", "listed", "attached", "expected"), ATTACHED, ids=[case[0] for case in ATTACHED])
def test_attachments_of_the_sites_list(
    store: StoreThread,
    tmp_path: Path,
    what: str,
    listed: Collection[str],
    attached: tuple[bytes, ...],
    expected: list[Link],
) -> None:
    async def story() -> None:
        door = Door(store, tmp_path, listed)
        assert isinstance(await door.hand_in(letter(*attached)), Accept)
        assert list(door.heard().links) == [*expected, Link(LinkKind.DOMAIN, "shop.example")], what
        decision = door.accounts.judge.view(ROSA, NOW.timestamp())
        assert decision is not None
        assert ("listed-links" in {one.rule for one in decision.findings if one.points > 0}) == bool(expected)

    asyncio.run(story())


def test_where_a_client_is(store: StoreThread, tmp_path: Path) -> None:
    async def story() -> None:
        door = Door(store, tmp_path)
        door.accounts.find_network = read_network_table(["192.0.2.0/24,AS64500,IT"]).find
        await door.hand_in(letter())
        event = door.heard()
        assert (event.network, event.country) == ("AS64500", "IT")

    asyncio.run(story())
