"""Claim: a message of 20 kB with links takes at most 0.3 ms of processor time to examine, and no hostile one a second.

    python bench/message.py

Three tables: the examination of ordinary messages, beside what the standard library's parser and its walk over the
parts take (they read no links and make no sketch); hostile messages, the largest of 50 MB, beside the same parser,
which is ended after a while; and how robust the names of texts are: how often a copy that was changed in one way has
the name of the first, and how often two different letters have one name.
Processor time of this thread, as on a shared machine the clock on the wall measures the others; the best of several
rounds for the small, one round for the hostile.
"""

import base64
import email
import quopri
import random
import statistics
import subprocess
import sys
from collections.abc import Callable
from time import process_time
from typing import NamedTuple

from outwarden.sources.message import TextClusters, examine
from outwarden.sources.message.link_services import known_services
from outwarden.sources.message.text_sketch import sketch_of

ROUNDS = 9
EACH = 40
PARSER_SECONDS = 10
TRUSTED = ("X-Spam-Flag",)
# Named, so that a body is read each time and not found among those met before.
SERVICES = known_services()

_SYLLABLES = [first + second for first in "bdfghklmnprstv" for second in "aeiou"]


class Writer:
    """Writes letters in an invented language, whose words are as unevenly common as those of any."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        make = random.Random(1)
        self._words = ["".join(make.choices(_SYLLABLES, k=make.randint(1, 4))) for _ in range(6000)]
        self._weights = [1 / (place + 2) for place in range(len(self._words))]

    def words(self, count: int) -> list[str]:
        """Return so many words."""
        return self.draw.choices(self._words, self._weights, k=count)

    def sentence(self) -> str:
        """Return a sentence of 6 to 16 words."""
        return " ".join(self.words(self.draw.randint(6, 16))).capitalize() + "."

    def paragraphs(self, count: int) -> list[str]:
        """Return paragraphs of two to four sentences."""
        return [" ".join(self.sentence() for _ in range(self.draw.randint(2, 4))) for _ in range(count)]


# -- ordinary messages

_HEADER = (
    b"Received: from [192.0.2.7] (h.example [192.0.2.7]) by mx.isp.example (Postfix) with ESMTPSA id 4AA091855DA0\r\n"
    b"\tfor <jim@home.example>; Tue, 24 Nov 2026 10:00:00 +0000 (UTC)\r\n"
    b"Message-ID: <0123456789@isp.example>\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"User-Agent: Example/1.0\r\nX-Spam-Flag: NO\r\n"
    b'From: "Braun, Rosa" <rosa@isp.example>\r\nTo: Jim <jim@home.example>\r\n'
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from the lake\r\nIn-Reply-To: <9876@home.example>\r\n"
)


def plain_message(size: int, links: int, seed: int = 1) -> bytes:
    """Return a letter in plain text of about so many bytes, with so many links."""
    writer = Writer(seed)
    body: list[str] = []
    while sum(map(len, body)) < size - len(_HEADER) - 70 * links:
        body.append(writer.sentence())
    for number in range(links):
        body.insert(
            writer.draw.randrange(len(body)), f"See https://www.shop{number}.example/path/{number}?id={number}."
        )
    return _HEADER + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + "\r\n".join(body).encode()


def letter_message(size: int, links: int, seed: int = 1) -> bytes:
    """Return the same as plain text and as HTML, quoted-printable, as most clients send it."""
    writer = Writer(seed)
    cells: list[str] = []
    texts: list[str] = []
    number = 0
    while sum(map(len, cells)) + sum(map(len, texts)) < 0.78 * size:
        text = writer.sentence()
        link = ""
        if number < links:
            link = (
                f'<a href="https://www.shop{number}.example/p/{number}?u=1&amp;id={number}" style="color:#333">more</a>'
            )
        cells.append(f'<tr><td class="x" style="padding:4px;font-family:Arial">{text} {link}</td></tr>')
        texts.append(text)
        number += 1
    page = f"<html><head><style>td{{color:red}}</style></head><body><table>{chr(10).join(cells)}</table></body></html>"
    return b"".join(
        (
            _HEADER + b'Content-Type: multipart/alternative; boundary="b1"\r\n\r\n',
            b"--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "\r\n".join(texts).encode(),
            b"\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n",
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            quopri.encodestring(page.encode()).replace(b"\n", b"\r\n") + b"\r\n--b1--\r\n",
        )
    )


def with_attachment(size: int) -> bytes:
    """Return a short letter with an attachment of so many bytes."""
    content = random.Random(3).randbytes(size)
    return b"".join(
        (
            _HEADER
            + b"Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\nsee what is attached, all of you\r\n",
            b"--b1\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--b1--\r\n",
        )
    )


def ordinary() -> dict[str, bytes]:
    """Return the ordinary messages."""
    return {
        "2 kB, plain, 1 link": plain_message(2_000, 1),
        "20 kB, plain, 10 links": plain_message(20_000, 10),
        "20 kB, plain and HTML, 10 links": letter_message(20_000, 10),
        "20 kB, plain and HTML, 40 links": letter_message(20_000, 40),
        "100 kB, plain and HTML, 100 links": letter_message(100_000, 100),
        "1 MB attached": with_attachment(1_000_000),
    }


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Return the best and the median of the rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = process_time()
        for _ in range(EACH):
            call()
        times.append((process_time() - begun) / EACH * 1000)
    return min(times), statistics.median(times)


def standard_parser(message: bytes) -> int:
    """Parse with the standard library, walk, and decode what is text."""
    parts = 0
    for part in email.message_from_bytes(message).walk():
        parts += 1
        if not part.is_multipart():
            part.get_payload(decode=True)
    return parts


# -- hostile messages


def _nested(depth: int) -> bytes:
    begin = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return begin + b"\nhttps://shop.example/\n"


def _far(number: int) -> str:
    draw = random.Random(number)
    return ".".join("".join(chr(draw.randrange(0xE0, 0x17F)) for _ in range(24)) for _ in range(4))


def hostile() -> dict[str, Callable[[], bytes]]:
    """Return makers of messages that are made to take long."""
    page = b"Content-Type: text/html\n\n"
    mixed = b"Content-Type: multipart/mixed; boundary=b\n\n"
    base64_part = b"--b\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\n"
    zip_part = b"--b\nContent-Type: a/b\n\n"
    return {
        "500 kB of tags that do not end": lambda: page + b"<p" * 260_000 + b"<b>",
        "10,000 multiparts, one in the other": lambda: _nested(10_000),
        "10,000 messages, one in the other": lambda: b"Content-Type: message/rfc822\n\n" * 10_000 + b"x",
        "10,000 parts": lambda: mixed + b"--b\nContent-Type: text/html\n\n<a href=http://a.example>\n" * 10_000,
        "10,000 attachments": lambda: mixed + b"--b\nContent-Disposition: attachment; filename=a\n\nx\n" * 10_000,
        "a header of 50 MB, one field": lambda: b"Subject: " + b"a" * 50_000_000,
        "a header of 50 MB, many fields": lambda: b"X-A: b\n" * 7_000_000,
        "a field folded a million times": lambda: b"Subject: a" + b"\n b" * 1_000_000 + b"\n\nx",
        "encoded words, 16 kB of them": lambda: b"Subject: " + b"=?utf-8?q?=?= " * 1_200 + b"\n\nx",
        "parameters without end": lambda: b"Content-Type: a/b" + b';a="\\' * 100_000 + b"\n\nx",
        "hyphens, 50 MB": lambda: mixed + b"--\n" * 16_000_000,
        "the boundary, 50 MB": lambda: mixed + b"--b\n" * 12_000_000,
        "parts without blank lines": lambda: mixed + (b"--b\n" + b"--c\n" * 50) * 5_000,
        "50 MB attached": lambda: mixed + base64_part + b"QUJD" * 12_500_000,
        "12 MB attached": lambda: mixed + base64_part + b"QUJD" * 4_000_000,
        "50 MB of text": lambda: b"\n" + b"a " * 25_000_000,
        "50 MB of broken base64": lambda: b"Content-Transfer-Encoding: base64\n\n" + b"Y=Q" * 16_000_000,
        "base64 in pieces, in parts": lambda: mixed + (base64_part + b"YQ=" * 500_000 + b"\n") * 30,
        "parameters of 300 parts": lambda: mixed + (b"--b\nContent-Type: a/b" + b"; n*1=x" * 2_000 + b"\n\n\n") * 300,
        "HTML: elements, one in the other": lambda: page + b"<div>" * 100_000,
        "HTML: brackets that open": lambda: page + b"<" * 500_000,
        "HTML: comments that open": lambda: page + b"<!--" * 120_000,
        "HTML: quotes that open": lambda: page + b"<a href=\"' href='" * 30_000,
        "HTML: styles": lambda: page + b"<style><style></style>" * 24_000,
        "HTML: hidden": lambda: page + b"<a display: none" * 30_000 + b">",
        "HTML: white space": lambda: page + b"<a href " + b" " * 500_000,
        "HTML: references": lambda: page + b"&#00000000000000000000065;&amp;&lt" * 15_000,
        "text: links": lambda: b"\n" + b"http://" * 70_000,
        "text: dots": lambda: b"\n" + b"(.a" * 170_000,
        "text: many links": lambda: b"\n" + b"".join(b"http://a%d.example/%%61?a#c\n" % n for n in range(16_000)),
        "text: many hosts beyond ASCII": lambda: "".join(f"\nhttp://{_far(n)}.com" for n in range(2_000)).encode(),
        "text: hosts in Chinese": lambda: "\nhttp://\u4e2d\u6587.example/ ".encode() * 10_000,
        "text: a host of 4,000 letters": lambda: b"\n" + ("http://" + "\u4e2d" * 4_000 + ".example ").encode() * 40,
        "text: greetings": lambda: b"\n" + b"-- " * 80_000 + b"on a wrote" * 10_000,
        "wrappers, one in the other": lambda: b"\n" + b"https://www.google.com/url?q=" * 140 + b"https://a.example",
        "a zip of 300,000 names": lambda: mixed + zip_part + (b"PK\x03\x04" + b"\0" * 42) * 300_000,
    }  # fmt: skip


def parser_seconds(name: str) -> float | None:
    """Return what the standard parser takes in a process of its own; None where it fails or is ended."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import message as m, time\n"
        "made = m.hostile()[sys.argv[2]](); begun = time.process_time(); m.standard_parser(made)\n"
        "print(time.process_time() - begun)"
    )
    try:
        answer = subprocess.run(
            [sys.executable, "-c", code, sys.path[0], name], capture_output=True, check=True, timeout=PARSER_SECONDS + 5
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return float(answer.stdout)


# -- names of texts


class Variant(NamedTuple):
    """One way to change a letter."""

    name: str
    change: Callable[[Writer, list[str]], list[str]]


def _replaced(share: float) -> Callable[[Writer, list[str]], list[str]]:
    def change(writer: Writer, paragraphs: list[str]) -> list[str]:
        return [
            " ".join(writer.words(1)[0] if writer.draw.random() < share else word for word in one.split())
            for one in paragraphs
        ]

    return change


def _one_word(writer: Writer, paragraphs: list[str]) -> list[str]:
    words = [one.split() for one in paragraphs]
    place = writer.draw.choice(words)
    place[writer.draw.randrange(len(place))] = writer.words(1)[0]
    return [" ".join(one) for one in words]


VARIANTS = (
    Variant("salutation", lambda writer, one: [f"Hello {writer.words(1)[0].capitalize()},", *one[1:]]),
    Variant("one word", _one_word),
    Variant("link", lambda writer, one: [*one[:-1], f"https://{writer.words(1)[0]}.example/{writer.draw.getrandbits(60):x}"]),
    Variant("paragraphs in another order", lambda writer, one: [one[0], *writer.draw.sample(one[1:], len(one) - 1)]),
    Variant("look-alike letters", lambda writer, one: [p.replace("a", "\u0430").replace("e", "\u0435") for p in one]),
    Variant("a paragraph more", lambda writer, one: [*one, *writer.paragraphs(1)]),
    Variant("a paragraph less", lambda writer, one: one[:-2] + one[-1:]),
    Variant("5 % of the words", _replaced(0.05)),
    Variant("10 % of the words", _replaced(0.10)),
    Variant("20 % of the words", _replaced(0.20)),
    Variant("30 % of the words", _replaced(0.30)),
)  # fmt: skip


def robustness(paragraphs: int, letters: int) -> tuple[dict[str, float], float, float]:
    """Return for each variant the share of copies with the name of the first; and of letters that have another's.

    The last figure is the share of pairs of different letters that have one name.
    """
    writer = Writer(paragraphs)
    originals = [
        [f"Dear {writer.words(1)[0]},", *writer.paragraphs(paragraphs), f"https://shop.example/{number:x}"]
        for number in range(letters)
    ]
    clusters = TextClusters(most=letters + 1)
    names = [clusters.name(sketch_of("\n\n".join(one))) for one in originals]
    kept = {
        variant.name: sum(
            clusters.name(sketch_of("\n\n".join(variant.change(writer, list(one))))) == name
            for one, name in zip(originals[: letters // 4], names, strict=False)
        )
        / (letters // 4)
        for variant in VARIANTS
    }
    sizes = [names.count(name) for name in set(names)]
    pairs = sum(size * (size - 1) for size in sizes) / (letters * (letters - 1))
    return kept, 1 - len(sizes) / letters, pairs


def naming_milliseconds() -> tuple[float, float]:
    """Return what it takes to name a text that is like none of 8,192, and one that is the same as one of them."""
    writer = Writer(5)
    sketches = [sketch_of("\n\n".join(writer.paragraphs(3))) for _ in range(10_000)]
    clusters = TextClusters()
    times = []
    for several in (sketches[:8_192], sketches[8_192:], sketches[8_192:]):
        begun = process_time()
        for sketch in several:
            clusters.name(sketch)
        times.append((process_time() - begun) / len(several) * 1000)
    return times[1], times[2]


def main() -> None:
    """Measure and print."""
    print(f"{'milliseconds a message':38}{'bytes':>10}{'best':>9}{'median':>9}{'parser':>9}{'ours : it':>11}")
    for name, message in ordinary().items():
        best, median = milliseconds(lambda message=message: examine(message, TRUSTED, SERVICES))  # type: ignore[misc]
        parser, _ = milliseconds(lambda message=message: standard_parser(message))  # type: ignore[misc]
        print(f"{name:38}{len(message):10,}{best:9.3f}{median:9.3f}{parser:9.3f}{best / parser:11.2f}")

    new, met = naming_milliseconds()
    print(f"{'the name of a text, among 8,192':38}{'':10}{new:9.3f}; of one met before {met:.3f}")

    print(f"\n{'seconds a hostile message':38}{'bytes':>12}{'ours':>9}{'parser':>9}  faults")
    for name, make in hostile().items():
        message = make()
        begun = process_time()
        found = examine(message, TRUSTED, SERVICES)
        seconds = process_time() - begun
        parser_took = parser_seconds(name)
        shown = "fails" if parser_took is None else f"{parser_took:.3f}"
        print(f"{name:38}{len(message):12,}{seconds:9.3f}{shown:>9}  {', '.join(found.faults)}")

    print(f"\n{'copies with the name of the first':38}" + "".join(f"{f'{size} paragraphs':>16}" for size in (1, 3, 8)))
    found_at = [robustness(size, 800) for size in (1, 3, 8)]
    for variant in VARIANTS:
        print(f"{variant.name:38}" + "".join(f"{kept[variant.name]:16.1%}" for kept, _, _ in found_at))
    print(f"{'letters that got the name of another':38}" + "".join(f"{taken:16.2%}" for _, taken, _ in found_at))
    print(f"{'pairs of letters with one name':38}" + "".join(f"{pairs:16.4%}" for _, _, pairs in found_at))


if __name__ == "__main__":
    main()
