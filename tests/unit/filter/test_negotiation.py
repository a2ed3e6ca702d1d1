"""What is agreed on, and how it is said: numbers from the protocol's own layout."""

import struct

import pytest

from outwarden.filter.milter.frames import MalformedMilter
from outwarden.filter.milter.negotiation import agree, negotiated

NO_HEADER_ANSWER, NO_UNKNOWN, NO_DATA = 0x80, 0x100, 0x200
NO_EOH, LEADING_SPACE = 0x40, 0x100000
EVERY_UNANSWERED_BUT_MAIL = 0xF_F000 & ~0x4000 | NO_HEADER_ANSWER
ALL_STEPS = EVERY_UNANSWERED_BUT_MAIL | NO_UNKNOWN | NO_DATA | NO_EOH | LEADING_SPACE

OFFERS = [
    ("Postfix", (6, 0x1FF, 0x1FFFFF), (6, 0x131, ALL_STEPS)),
    ("Sendmail with larger pieces", (6, 0x1FF, 0x301FFFFF), (6, 0x131, ALL_STEPS)),
    ("an old one", (2, 0x3F, 0x7F), (2, 0x31, NO_EOH)),
    ("no quarantine", (6, 0x1F, 0x1FFFFF), (6, 0x11, ALL_STEPS)),
    ("one from the future", (8, 0xFFFFFFFF, 0xFFFFFFFF), (6, 0x131, ALL_STEPS)),
    ("nothing at all", (6, 0, 0), (6, 0, 0)),
]


@pytest.mark.parametrize(("offered", "agreed"), [offer[1:] for offer in OFFERS], ids=[offer[0] for offer in OFFERS])
def test_what_is_agreed_on(offered: tuple[int, int, int], agreed: tuple[int, int, int]) -> None:
    said = negotiated(agree(struct.pack(">III", *offered)))
    assert said[4:5] == b"O"
    assert len(said) == 4 + int.from_bytes(said[:4], "big")
    assert struct.unpack(">III", said[5:17]) == agreed


def test_no_answer_to_the_sender_is_agreed_on_where_none_is_wanted_and_the_server_can_do_without() -> None:
    steps = agree(struct.pack(">III", 6, 0x1FF, 0x1FFFFF), senders_answered=False).steps
    assert steps == ALL_STEPS | 0x4000
    assert agree(struct.pack(">III", 6, 0x1FF, 0x1FFFFF & ~0x4000), senders_answered=False).steps == ALL_STEPS


def test_macros_are_asked_for_where_that_may_be() -> None:
    assert negotiated(agree(struct.pack(">III", 6, 0x100, 0)))[17:] == (
        b"\0\0\0\0j {daemon_name}\0\0\0\0\2{auth_authen} {auth_type}\0\0\0\0\5i\0"
    )
    assert negotiated(agree(struct.pack(">III", 6, 0xFF, 0)))[17:] == b""


@pytest.mark.parametrize("offer", [b"", b"\0\0\0\6", struct.pack(">III", 1, 0xF, 0x7F)])
def test_no_offer(offer: bytes) -> None:
    with pytest.raises(MalformedMilter):
        agree(offer)
