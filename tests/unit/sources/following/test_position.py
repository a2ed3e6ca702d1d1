import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.following import JournalPosition, MalformedPosition, Position, restored, saved

BEFORE = Position("/var/log/mail.log.1", 64_512, 17, 5_000, 1_024, "ab" * 16)
POSITION = Position("/var/log/mail.log", 64_512, 2**63, 31, 31, "cd" * 16, 4_096, 1_795_400_000_000_000_000, BEFORE)


@pytest.mark.parametrize("position", [BEFORE, POSITION, JournalPosition("s=1")])
def test_what_is_saved_is_restored(position: Position | JournalPosition) -> None:
    assert restored(saved(position)) == position


WRONG = [
    ("nothing", b""),
    ("no position", msgspec.msgpack.encode({"path": "x"})),
    ("a negative offset", saved(POSITION).replace(msgspec.msgpack.encode(4_096), msgspec.msgpack.encode(-1))),
    ("a head longer than is kept", saved(BEFORE).replace(msgspec.msgpack.encode(1_024), b"\xcd\xff\xff")),
    ("a name that is not UTF-8", saved(JournalPosition("s=1")).replace(b"s=1", b"s=\xff")),
    ("positions without end", b"\x9a\xa4file" * 100_000),
    ("cut off", saved(POSITION)[:-1]),
]


@pytest.mark.parametrize(("name", "octets"), WRONG, ids=[case[0] for case in WRONG])
def test_what_is_no_position_is_said(name: str, octets: bytes) -> None:
    with pytest.raises(MalformedPosition, match="no position of a log"):
        restored(octets)


@given(st.binary(max_size=100))
def test_any_bytes_are_a_position_or_malformed(octets: bytes) -> None:
    try:
        assert restored(octets)
    except MalformedPosition:
        pass
