"""Queue files as Postfix writes them, and everything else that may lie there."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from outwarden.responses.mail_server import Queued
from outwarden.responses.postfix_spool import _records, _understood, on_hold, queued


def record(kind: str, content: str) -> bytes:
    raw = content.encode()
    length, size = b"", len(raw)
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return kind.encode() + length + raw


def message(sender: str, login: str | None = None, recipients: tuple[str, ...] = ("ann@bigmail.example",)) -> bytes:
    logins = [record("A", "sasl_method=PLAIN"), record("A", f"sasl_username={login}")] if login else []
    parts = [record("C", " " * 90), record("T", "1764042000 1"), record("S", sender), *logins]
    return b"".join([*parts, *(record("R", to) for to in recipients), record("M", ""), record("N", "Subject: Rx")])


def put(spool: Path, name: str, content: bytes, mode: int = 0o700) -> None:
    file = spool / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(mode)


def test_every_complete_message_once_with_its_login(tmp_path: Path) -> None:
    long_sender = "x" * 200 + "@isp.example"
    put(tmp_path, "active/4jZ5444YKqzFG91", message("other@isp.example", "Rosa@isp.example"))
    put(tmp_path, "deferred/4/4jZ5444tJVzFG93", message(long_sender, recipients=("a@a.example", "b@b.example")))
    put(tmp_path, "hold/4C9D2E1A", message("", None))
    put(tmp_path, "incoming/4C9D2E1B", message("half@isp.example"), mode=0o600)
    put(tmp_path, "deferred/4/garbage", b"no queue file at all")
    put(tmp_path, "deferred/4/empty", b"")
    found = {each.queue_id: each for each in queued(tmp_path)}
    assert set(found) == {"4jZ5444YKqzFG91", "4jZ5444tJVzFG93", "4C9D2E1A"}
    one, two, three = found["4jZ5444YKqzFG91"], found["4jZ5444tJVzFG93"], found["4C9D2E1A"]
    assert (one.login, one.sender, one.on_hold) == ("Rosa@isp.example", "other@isp.example", False)
    assert (two.login, two.sender, two.recipients) == (None, long_sender, ("a@a.example", "b@b.example"))
    assert (three.sender, three.on_hold) == ("", True)


def test_those_that_may_be_of_an_account(tmp_path: Path) -> None:
    put(tmp_path, "active/4C9D2E1A", message("other@isp.example", "Rosa@ISP.example"))
    put(tmp_path, "active/4C9D2E1B", message("rosa@isp.example"))
    put(tmp_path, "active/4C9D2E1C", message("jan@isp.example", "jan@isp.example"))
    assert {each.queue_id for each in queued(tmp_path, "rosa@isp.example")} == {"4C9D2E1A", "4C9D2E1B"}


def test_whose_a_message_is() -> None:
    hers = Queued("A", False, 1, "other@isp.example", "Rosa@ISP.example", ())
    forged = Queued("B", False, 1, "rosa@isp.example", "jan@isp.example", ())
    local = Queued("C", False, 1, "rosa@isp.example", None, ())
    assert [each.is_of("rosa@isp.example") for each in (hers, forged, local)] == [True, False, True]


def test_all_recipients_of_what_is_on_hold_are_counted_and_its_time_is_known(tmp_path: Path) -> None:
    many = tuple(f"recipient-{number}@bigmail.example" for number in range(5_000))
    put(tmp_path, "hold/4C9D2E1A", message("rosa@isp.example", recipients=many))
    put(tmp_path, "hold/4/4C9D2E1B", message("rosa@isp.example"))
    put(tmp_path, "deferred/4/4C9D2E1C", message("rosa@isp.example"))
    found = on_hold(tmp_path, {})
    assert set(found) == {"4C9D2E1A", "4C9D2E1B"}
    large, small = found["4C9D2E1A"], found["4C9D2E1B"]
    assert (len(large.recipients) + large.more_recipients, small.more_recipients) == (5_000, 0)
    assert small.arrived_at == datetime(2025, 11, 25, 3, 40, 0, 1, tzinfo=UTC)
    # What is known stays as it was; what is gone is gone.
    known = small._replace(size=1)
    (tmp_path / "hold/4C9D2E1A").unlink()
    assert on_hold(tmp_path, {"4C9D2E1B": known, "4C9D2E1A": large}) == {"4C9D2E1B": known}


@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_their_end(content: bytes) -> None:
    assert sum(len(part) + 2 for _, part in _records(content)) <= len(content)
    _understood("4C9D2E1A", "active", len(content), content)
