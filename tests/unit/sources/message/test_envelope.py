"""From an examined message to the event."""

from datetime import UTC, datetime

import pytest

from outwarden.events import AccountKind, Link, LinkKind, Submitted, decode_event, encode_event
from outwarden.sources.message import Envelope, Examined, is_foreign, submitted

OWN = ("Rosa@isp.example", "@club.example")
CASES = [
    ("own", ["rosa@isp.example"], False),
    ("own, other case", ["ROSA@ISP.example"], False),
    ("own, with a tag", ["rosa+shop@isp.example"], False),
    ("any of an own domain", ["chair@club.example"], False),
    ("another's", ["bank@elsewhere.example"], True),
    ("a domain that only ends alike", ["a@notclub.example"], True),
    ("own and another's", ["rosa@isp.example", "bank@elsewhere.example"], True),
    ("none", [], False),
]


@pytest.mark.parametrize(("addresses", "foreign"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_foreign_from(addresses: list[str], foreign: bool) -> None:
    assert is_foreign(addresses, OWN) is foreign


def test_nothing_is_foreign_where_nothing_is_known() -> None:
    assert not is_foreign(["bank@elsewhere.example"], ())


def test_the_event() -> None:
    link = Link(LinkKind.DOMAIN, "shop.example")
    examined = Examined(900, "Re: x", "<1@isp.example>", ("bank@elsewhere.example",), True, links=(link,))
    envelope = Envelope(
        at=datetime(2026, 11, 24, tzinfo=UTC), host="mx1", queue_id="4A", account="rosa@isp.example",
        kind=AccountKind.LOGIN, client_address="192.0.2.7", sender="rosa@isp.example",
        recipients=("A@Home.Example", "b@home.example"), own_addresses=("rosa@isp.example",), network="AS64500",
        country="IT", client_listed=True,
    )  # fmt: skip
    event = submitted(examined, envelope, "abc")
    assert event == Submitted(
        at=envelope.at, host="mx1", queue_id="4A", account="rosa@isp.example", kind=AccountKind.LOGIN,
        client_address="192.0.2.7", sender="rosa@isp.example", recipients=2, size=900, message_id="<1@isp.example>",
        subject="Re: x", recipient_addresses=("A@home.example", "b@home.example"), fingerprint="abc", links=(link,),
        reply=True, foreign_from=True, network="AS64500", country="IT", client_listed=True,
    )  # fmt: skip
    assert decode_event(encode_event(event)) == event
