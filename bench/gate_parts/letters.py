"""Letters of a provider's accounts: each has other words, other links and a friend of its account to go to.

The words are made once, so that a letter costs microseconds: it must not cost more than what is measured.
"""

import quopri
import random
from collections.abc import Sequence
from typing import NamedTuple

from lab.past_mail import friends_of

from message import Writer

_SENTENCES = 3_000
_KNOWN_SITES, _SITES = 2_000, 1_000_000
_UNHEARD_OF = 0.1
_LINE = "\r\n"


class Letter(NamedTuple):
    """One message to be handed in; its lines end as on the wire."""

    account: str
    client: str
    recipient: str
    octets: bytes


def accounts(count: int) -> list[str]:
    """Return the accounts of a provider."""
    return [f"person{number:04d}@isp.example" for number in range(count)]


class Letters:
    """Writes them for these accounts, each from its own address."""

    def __init__(self, seed: int, writers: Sequence[str], clients: Sequence[str]) -> None:
        self._draw = random.Random(seed)
        writer = Writer(seed)
        self._sentences = [writer.sentence() for _ in range(_SENTENCES)]
        self._writers, self._clients = writers, clients
        self._friends = {account: friends_of(account) for account in writers}
        self._written = seed * 1_000_000

    def plain(self, size: int, links: int) -> Letter:
        """Write plain text of about so many bytes."""
        body = self._text(size - 500 - 55 * links)
        for link in self._links(links):
            body.insert(self._draw.randrange(len(body) + 1), f"See {link} for it.")
        return self._letter("Content-Type: text/plain; charset=utf-8", _LINE.join(body))

    def with_page(self, size: int, links: int) -> Letter:
        """Write the same as text and as a page, quoted-printable, as most programs send it."""
        texts = self._text(int(size * 0.36))
        cells = [f'<tr><td class="x" style="padding:4px;color:#333">{text}</td></tr>' for text in texts]
        for link in self._links(links):
            cells.insert(self._draw.randrange(len(cells) + 1), f'<p><a href="{link}" style="color:#333">more</a></p>')
        page = (
            f"<html><head><style>td{{color:red}}</style></head><body><table>{_LINE.join(cells)}</table></body></html>"
        )
        quoted = quopri.encodestring(page.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").decode()
        parts = (
            f"--b1{_LINE}Content-Type: text/plain; charset=utf-8{_LINE * 2}{_LINE.join(texts)}{_LINE}",
            f"--b1{_LINE}Content-Type: text/html; charset=utf-8{_LINE}",
            f"Content-Transfer-Encoding: quoted-printable{_LINE * 2}{quoted}{_LINE}--b1--",
        )
        return self._letter('Content-Type: multipart/alternative; boundary="b1"', "".join(parts))

    def _text(self, size: int) -> list[str]:
        sentences: list[str] = []
        while size > 0:
            sentences.append(self._draw.choice(self._sentences))
            size -= len(sentences[-1]) + 2
        return sentences

    def _links(self, count: int) -> list[str]:
        """Return links: one in ten to a site that nearly nobody else links to, the others as popular as sites are."""
        draw = self._draw
        sites = [
            draw.randrange(_SITES) if draw.random() < _UNHEARD_OF else int(_KNOWN_SITES ** draw.random())
            for _ in range(count)
        ]
        return [f"https://www.shop{site}.example/p/{draw.randrange(100)}?id={site}" for site in sites]

    def _letter(self, content_type: str, body: str) -> Letter:
        number = self._draw.randrange(len(self._writers))
        account = self._writers[number]
        recipient = self._draw.choice(self._friends[account])
        self._written += 1
        header = (
            f"Date: Wed, 25 Nov 2026 10:00:00 +0000{_LINE}Message-ID: <{self._written}@isp.example>{_LINE}"
            f"From: Rosa <{account}>{_LINE}To: {recipient}{_LINE}Subject: {self._draw.choice(self._sentences)}{_LINE}"
            f"MIME-Version: 1.0{_LINE}User-Agent: Example/1.0{_LINE}{content_type}{_LINE}"
        )
        return Letter(account, self._clients[number], recipient, f"{header}{_LINE}{body}{_LINE}".encode())
