"""What goes to many in the same words is examined once, and nothing is taken for it that is not."""

from outwarden.sources.message import Examined, examine
from outwarden.sources.message.bodies_met import SMALLEST_BYTES, BodiesMet, Body
from outwarden.sources.message.link_services import LinkServices, services_file

WORDS = "The club meets on the first Monday of each month in the large room beside the library.\r\n"
TEXT = "\r\n".join(f"{WORDS}Read more at https://shop{number}.example/" for number in range(60))
ANEW = LinkServices(services_file())
"""Services of one's own are asked for: what was met before is not used."""


def letter(to: str, body: str = TEXT, more: str = "") -> bytes:
    return f"From: club@isp.example\r\nTo: {to}\r\n{more}\r\n{body}".encode()


def test_a_body_that_was_met_is_told_of_as_if_it_were_read() -> None:
    assert len(TEXT) > SMALLEST_BYTES
    for to in ("Rosa <rosa@bigmail.example>", "jim@other.example", "Monday Library <x@bigmail.example>", "a@b.example"):
        assert examine(letter(to)) == examine(letter(to), services=ANEW)


def test_one_byte_makes_another_body() -> None:
    assert "shop0.example" in targets(examine(letter("rosa@bigmail.example")))
    changed = TEXT.replace("shop0", "evil0", 1)
    assert len(changed) == len(TEXT)
    assert "evil0.example" in targets(examine(letter("rosa@bigmail.example", changed)))


def test_the_same_bytes_read_in_another_way_are_another_body() -> None:
    page = "Content-Type: text/html\r\n"
    body = TEXT + '<img src="//pictures&#46;example/x">'
    assert "pictures.example" not in targets(examine(letter("a@b.example", body)))
    assert "pictures.example" in targets(examine(letter("a@b.example", body, page)))
    encoded = "Content-Transfer-Encoding: base64\r\n"
    assert targets(examine(letter("a@b.example", body, encoded))) == set()


def test_what_a_strange_header_hid_is_seen_under_another() -> None:
    parts = "--b\r\n\r\nhello https://hidden.example/\r\n" + "--b\r\n\r\nhello\r\n" * 320
    more = "Content-Type: multipart/mixed; boundary=b\r\n"
    strange = letter("a@b.example", parts, more + "--\r\n" * 9_990)
    assert examine(strange) == examine(strange, services=ANEW)
    assert "hidden.example" in targets(examine(letter("a@b.example", parts, more)))


def test_bodies_are_bounded() -> None:
    met, body = BodiesMet(most=3), Body((), (), (), ())
    for number in range(10):
        met.remember({}, b"%d" % number, body)
    found = [met.find({}, b"%d" % number) for number in range(10)]
    assert found == [None] * 7 + [body] * 3


def targets(examined: Examined) -> set[str]:
    return {link.target for link in examined.links}
