"""Real bounces and complaints: a mark in what they return is found, and none is found where none is."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outwarden.service.message_reading import read_message
from outwarden.sources.message.mark import MarkKeys, mark

COLLECTIONS = Path(__file__).resolve().parents[5] / "shared" / "corpora" / "messages"
KEYS = MarkKeys([b"k" * 32])
MARK = mark(KEYS, "rosa@isp.example", "mx", datetime(2026, 11, 25, tzinfo=UTC), b"twelve bytes").encode()
MESSAGE_ID = re.compile(rb"^([> \t|]*)message-id:[^\n]*(\r?\n)", re.MULTILINE | re.IGNORECASE)
HEADER_END = re.compile(rb"\S\r?\n\r?\n")

pytestmark = pytest.mark.skipif(not COLLECTIONS.is_dir(), reason="the collections of messages are not there")


def messages() -> list[bytes]:
    suffixes = {".eml", ".txt", ".bouncemsg"}
    paths = [path for path in sorted(COLLECTIONS.rglob("*")) if path.suffix in suffixes and path.is_file()]
    return [path.read_bytes() for path in paths]


def with_a_mark(message: bytes) -> bytes | None:
    """Put a mark into the returned header, as it would have been returned; None where there is none."""
    end = HEADER_END.search(message)
    place = None if end is None else MESSAGE_ID.search(message, end.end())
    if place is None:
        return None
    quoted, line_end = place[1], place[2]
    header = quoted + b"Outwarden-Mark: " + MARK.replace(b"\n", line_end + quoted) + line_end
    return message[: place.end()] + header + message[place.end() :]


def test_a_mark_is_found_in_all_that_return_one() -> None:
    marked = list(filter(None, map(with_a_mark, messages())))
    accounts = [read_message("", one, KEYS).account for one in marked]
    assert len(marked) > 400
    assert accounts == ["rosa@isp.example"] * len(marked)


def test_none_is_found_where_none_is() -> None:
    assert not any(read_message("", one, KEYS).ours for one in messages())
