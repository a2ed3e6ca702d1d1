"""Which messages leave when so many recipients may."""

from __future__ import annotations

import pytest

from outwarden.responses.mail_server import Queued
from outwarden.service.automatic.held_mail import fitting


def waiting(*recipients: int) -> list[Queued]:
    return [
        Queued(f"M{number}", True, 1, "rosa@isp.example", None, ("a@b.example",) * min(count, 100), max(0, count - 100))
        for number, count in enumerate(recipients)
    ]


FITS = [
    ("nothing may", (1, 1), 0, []),
    ("less than nothing", (1,), -3, []),
    ("oldest first", (1, 1, 1), 2, [0, 1]),
    ("a large one is passed over", (1, 200, 2, 1), 3, [0, 2]),
    ("the large one alone", (200, 1), 200, [0]),
    ("all", (3, 150, 2), 155, [0, 1, 2]),
    ("one whose recipients were all served counts as one", (0, 1), 1, [0]),
]


@pytest.mark.parametrize(("name", "recipients", "may", "leave"), FITS, ids=[name for name, *_ in FITS])
def test_whole_messages_oldest_first(name: str, recipients: tuple[int, ...], may: int, leave: list[int]) -> None:
    messages = waiting(*recipients)
    assert fitting(messages, may) == [messages[number] for number in leave]
