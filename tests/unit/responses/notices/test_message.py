"""The mail: its header fields, whom bounces go to, and that nothing can be put into it."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.responses.notices.bounce_address import BounceAddresses, UnusablePattern
from outwarden.responses.notices.facts import Facts, Language, NoticeKind, Place
from outwarden.responses.notices.letter import letter, plain_text
from outwarden.responses.notices.message import (
    AnotherMailbox,
    Letterhead,
    OutgoingNotice,
    SecretToMailbox,
    TheMailboxItself,
    Unaddressable,
    compose,
    usable_address,
)
from outwarden.responses.notices.sample import SAMPLE_PLACES, sample_facts
from outwarden.responses.notices.texts import load_templates
from outwarden.sources.message.mark import HEADER, MarkKeys, mark, read_mark

TEMPLATES = load_templates()
AT = datetime(2026, 11, 25, 3, 12, 40, tzinfo=UTC)
HEAD = Letterhead(name="Help desk", address="notices@isp.example", reply_to="help@isp.example")
TO = AnotherMailbox("rosa@bigmail.example")
KEYS = (b"a" * 32, b"b" * 32)


def composed(facts: Facts | None = None, head: Letterhead = HEAD, **given: object) -> OutgoingNotice:
    told = facts or sample_facts(NoticeKind.STOLEN_ACCOUNT)
    made = letter(TEMPLATES, NoticeKind.STOLEN_ACCOUNT, Language.ITALIAN, told, SAMPLE_PLACES[True], UTC)
    arguments = {"to": TO, "reference": "OW-2041", "message_id": "n17.abc", "at": AT} | given
    return compose(made, TEMPLATES, head=head, **arguments)  # type: ignore[arg-type]


def parsed(notice: OutgoingNotice) -> EmailMessage:
    made = message_from_bytes(notice.octets, policy=default)
    assert isinstance(made, EmailMessage)
    assert made.defects == []
    return made


def test_the_header_says_what_it_is() -> None:
    made = composed()
    read = parsed(made)
    assert {name: str(value) for name, value in read.items() if name not in ("Subject", "Content-Type")} == {
        "From": "Help desk <notices@isp.example>", "To": "rosa@bigmail.example", "Reply-To": "help@isp.example",
        "Date": "Wed, 25 Nov 2026 03:12:40 +0000", "Message-ID": "<n17.abc@isp.example>",
        "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Content-Language": "it",
        "Outwarden-Notice": "OW-2041", "MIME-Version": "1.0",
    }  # fmt: skip
    assert read["Subject"] == "Il Suo account di posta rosa@isp.example è stato usato da altri"
    assert (made.sender, made.recipient, made.message_id) == ("", "rosa@bigmail.example", "<n17.abc@isp.example>")
    assert made.octets.isascii() and max(map(len, made.octets.splitlines())) <= 78
    assert made == composed(), "nothing of it is left to chance"


def test_text_and_page_are_alternatives() -> None:
    read = parsed(composed())
    text, page = read.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    made = letter(
        TEMPLATES, NoticeKind.STOLEN_ACCOUNT, Language.ITALIAN, sample_facts(NoticeKind.STOLEN_ACCOUNT),
        SAMPLE_PLACES[True], UTC,
    )  # fmt: skip
    assert text.get_content().replace("\r\n", "\n") == plain_text(made)


def test_our_mark_is_in_it() -> None:
    keys = MarkKeys(KEYS)
    field = f"{HEADER}: {mark(keys, 'notices@isp.example', 'mail.isp.example', AT, b'n' * 12)}"
    read = message_from_bytes(composed(mark=field).octets)
    marked = read_mark(keys, read[HEADER])
    assert marked is not None and marked.account == "notices@isp.example"


def test_a_link_never_goes_into_the_mailbox_itself() -> None:
    facts = sample_facts(NoticeKind.STOLEN_ACCOUNT, link="https://my.isp.example/my/abc")
    assert b"/my/abc" in composed(facts).octets
    with pytest.raises(SecretToMailbox, match=r"not for rosa@isp\.example"):
        composed(facts, to=TheMailboxItself("rosa@isp.example"))
    assert composed(to=TheMailboxItself("rosa@isp.example")).recipient == "rosa@isp.example"


_anything = st.text(max_size=60) | st.sampled_from(
    ["a\r\nBcc: b@c.example", "a\nX: y", "\r", "\x00", "=?utf-8?q?a?=", "é"]
)


@given(words=st.tuples(*[_anything] * 6))
def test_nothing_can_be_put_into_the_header(words: tuple[str, ...]) -> None:
    account, subject, name, contact, reference, organisation = words
    facts = Facts(account=account or "a", happened_at=AT, reference=reference or "r", subject=subject)
    place = Place(organisation=organisation, contact=contact)
    made = letter(TEMPLATES, NoticeKind.SPAM_CONTENT, Language.ENGLISH, facts, place, UTC)
    mail = compose(
        made, TEMPLATES, TO, Letterhead(name=name, address="notices@isp.example"),
        reference=reference, message_id="n1", at=AT,
    )  # fmt: skip
    header, _, _ = mail.octets.partition(b"\r\n\r\n")
    names = re.findall(rb"^([^\s:]+):", header, re.MULTILINE)
    expected = (
        "From To Subject Date Message-ID Auto-Submitted X-Auto-Response-Suppress Content-Language Outwarden-Notice "
        "MIME-Version Content-Type"
    )
    assert sorted(names) == sorted(expected.encode().split())
    assert header.count(b"\r\n") == header.count(b"\n") == header.count(b"\r")
    read = message_from_bytes(mail.octets, policy=default)
    assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert [address.addr_spec for address in read["From"].addresses] == ["notices@isp.example"]


@pytest.mark.parametrize(
    "address",
    ["", "rosa", "@isp.example", "rosa@", "rosa@isp", "ro sa@isp.example", "rosa@isp.example\r\nBcc: x@y.example",
     "rosa@isp.example,x@y.example", "<rosa@isp.example>", "rosé@isp.example", '"ro sa"@isp.example',
     "a..b@isp.example", "a" * 65 + "@isp.example", "rosa@" + "a" * 64 + ".example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Unaddressable):
        composed(to=AnotherMailbox(address))


def test_a_domain_is_written_as_the_mail_server_wants_it() -> None:
    assert usable_address("Rosa.B+x@Bücher.example") == "Rosa.B+x@xn--bcher-kva.example"


@pytest.mark.parametrize("pattern", ["notices+{token}@isp.example", "{token}@notices.isp.example"])
def test_a_bounce_address_names_its_notice(pattern: str) -> None:
    addresses = BounceAddresses(pattern, KEYS)
    made = addresses.of(123456)
    assert usable_address(made) == made
    assert addresses.notice(made) == addresses.notice(made.upper()) == 123456
    assert composed(sender=made).sender == made
    assert BounceAddresses(pattern, [b"c" * 32, KEYS[0]]).notice(made) == 123456, "an old key still counts"
    assert BounceAddresses(pattern, [b"c" * 32]).notice(made) is None
    local, _, domain = made.partition("@")
    for place, letter_ in enumerate(local):
        forged = f"{local[:place]}{'b' if letter_ == 'a' else 'a'}{local[place + 1 :]}@{domain}"
        assert addresses.notice(forged) is None
    assert addresses.notice("notices@isp.example") is None
    assert addresses.notice("") is None


@pytest.mark.parametrize("pattern", ["", "notices@isp.example", "{token}", "{token}{token}@isp.example", "{token}@x y"])
def test_a_pattern_that_makes_no_address_is_refused(pattern: str) -> None:
    with pytest.raises(UnusablePattern, match=r"notices\+\{token\}@isp\.example"):
        BounceAddresses(pattern, KEYS)
