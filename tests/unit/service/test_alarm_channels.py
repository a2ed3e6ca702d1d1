"""Channels: each told once, on its own; quiet hours; the next one when nobody answers; the digest; nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from outwarden.service.alarm_channels import checked, loud_at
from outwarden.service.alarm_digest import Digest, digest
from outwarden.service.alarm_handover import MOST_TRIES
from outwarden.service.alarm_settings import AlarmChannel
from outwarden.service.alarms import AlarmSender
from outwarden.service.settings import ConfigurationError, load
from outwarden.store.responses import ResponseKind, ResponseState
from outwarden.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Gateway(HTTPServer):
    """Takes JSON; answers with ``statuses`` in turn, the last one again and again."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.statuses = [200]
        self.got: list[tuple[str, Any]] = []


class _Taking(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.path, content))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        del format, arguments


@contextmanager
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    # Whoever tells is a program of its own, which finds ours where the tests do.
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    with Store(tmp_path / "store.db") as made:
        yield made


def web(folder: Path, server: Gateway, name: str = "hook", **settings: Any) -> AlarmChannel:  # noqa: ANN401
    file = folder / f"{name}.url"
    file.write_text(f"http://127.0.0.1:{server.server_port}/{name}?key=s3cret\n")
    return AlarmChannel(**({"kind": "webhook", "body": {"text": "{line}"}, "url_file": str(file)} | settings))


def call(store: Store, about: str = "rosa", now: datetime = NOW) -> None:
    with store.writing():
        store.alarms.call(f"response {about}", f"{about} waits", f"Type: outwarden account block {about}\n", now)


def sender(store: Store, **channels: AlarmChannel) -> AlarmSender:
    return AlarmSender(store, (), 12, channels=channels)


def outcomes(store: Store, notice: int = 1) -> dict[str, str]:
    return {told.channel: told.outcome for told in store.tellings.of(notice)}


def test_each_channel_is_told_once(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        alarms = sender(store, desk=web(tmp_path, server, "desk"), boss=web(tmp_path, server, "boss"))
        call(store)
        alarms.send(NOW)
        alarms.send(NOW + timedelta(days=1))
    assert sorted(server.got) == [
        ("/boss?key=s3cret", {"text": "rosa waits"}),
        ("/desk?key=s3cret", {"text": "rosa waits"}),
    ]
    assert outcomes(store) == {"desk": "told", "boss": "told"}


def test_one_that_is_down_is_tried_again_and_holds_up_no_other(store: Store, tmp_path: Path) -> None:
    with gateway() as good, gateway() as bad:
        bad.statuses = [503, 503, 200]
        alarms = sender(store, good=web(tmp_path, good, "good"), bad=web(tmp_path, bad, "bad"))
        call(store)
        alarms.send(NOW)
        assert outcomes(store) == {"good": "told", "bad": "failed with 1"}
        for minutes in (1, 3, 7):
            alarms.send(NOW + minutes * MINUTE)
    assert (len(good.got), len(bad.got)) == (1, 3)
    assert outcomes(store)["bad"] == "told"


def test_one_that_stays_down_is_given_up(store: Store, tmp_path: Path) -> None:
    channel = AlarmChannel("slack", url_file=str(tmp_path / "there-is-none"))
    alarms, now, tries = sender(store, desk=channel), NOW, 0
    call(store)
    alarms.send(now)
    while (at := alarms.next_try_at()) is not None:
        now, tries = max(now, at), tries + 1
        alarms.send(now)
    assert tries == MOST_TRIES - 1
    assert outcomes(store) == {"desk": "given up: failed with 1"}


def test_a_url_is_in_no_message(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with gateway() as server:
        server.statuses = [302]
        call(store)
        sender(store, desk=web(tmp_path, server)).send(NOW)
    said = capfd.readouterr().err
    assert "alarms.channels.desk:" in said
    assert "s3cret" not in said
    assert b"s3cret" not in (tmp_path / "store.db").read_bytes()


def test_the_next_is_called_when_nobody_answers(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        alarms = sender(store, later=web(tmp_path, server, after_minutes=30))
        call(store, "rosa")
        alarms.send(NOW)
        call(store, "jan")
        alarms.send(NOW + MINUTE)
        with store.writing():
            assert store.tellings.answer(1, "kim", NOW + 2 * MINUTE)
        with store.writing():
            assert not store.tellings.answer(1, "ann", NOW + 3 * MINUTE)
        alarms.send(NOW + 29 * MINUTE)
        assert server.got == []
        alarms.send(NOW + 31 * MINUTE)
    assert [content for _, content in server.got] == [{"text": "jan waits"}]
    assert outcomes(store, 1) == {"later": "not told: kim had answered"}


def test_quiet_hours_hold_back_all_but_calls(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        alarms = sender(store, desk=web(tmp_path, server, quiet="22:00-07:00"))
        with store.writing():
            store.alarms.call("digest", "today: nothing stands", "", NOW, store_digest())
        call(store)
        alarms.send(NOW)
        assert [content for _, content in server.got] == [{"text": "rosa waits"}]
        alarms.send(loud_at(AlarmChannel("syslog", quiet="22:00-07:00"), NOW, UTC) + timedelta(hours=14))
    assert [content["text"] for _, content in server.got] == ["rosa waits", "today: nothing stands"]


def store_digest() -> Any:  # noqa: ANN401
    from outwarden.store.alarms import Call

    return Call.DIGEST


def test_apprise_is_told_where_it_is_installed(store: Store, tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="the extra outwarden[apprise] is not installed")
    with gateway() as server:
        urls = tmp_path / "apprise.urls"
        urls.write_text(f"json://127.0.0.1:{server.server_port}/a\njson://127.0.0.1:{server.server_port}/b\n")
        call(store)
        sender(store, all=AlarmChannel("apprise", url_file=str(urls))).send(NOW)
    assert outcomes(store) == {"all": "told"}
    assert sorted((path.strip("/"), content["title"]) for path, content in server.got) == [
        ("a", "rosa waits"),
        ("b", "rosa waits"),
    ]


@pytest.mark.parametrize(
    ("quiet", "hour", "loud"),
    [
        ("22:00-07:00", "23:30", "26 07:00"),
        ("22:00-07:00", "22:00", "26 07:00"),
        ("22:00-07:00", "06:59", "25 07:00"),
        ("22:00-07:00", "07:00", "25 07:00"),
        ("22:00-07:00", "12:00", "25 12:00"),
        ("12:00-13:00", "12:30", "25 13:00"),
        ("12:00-13:00", "13:00", "25 13:00"),
        ("", "03:00", "25 03:00"),
    ],
)
def test_when_a_channel_may_be_told(quiet: str, hour: str, loud: str) -> None:
    at = datetime.fromisoformat(f"2026-11-25T{hour}:00+00:00")
    assert f"{loud_at(AlarmChannel('syslog', quiet=quiet), at, UTC):%d %H:%M}" == loud


def test_a_channel_for_calls_hears_of_nothing_else(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        alarms = sender(store, desk=web(tmp_path, server, tells="calls"))
        with store.writing():
            store.alarms.call("digest", "today: nothing stands", "", NOW, store_digest())
        alarms.send(NOW)
        call(store)
        alarms.send(NOW)
    assert [content for _, content in server.got] == [{"text": "rosa waits"}]


def test_a_channel_that_is_gone_is_told_nothing(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        call(store)
        sender(store, desk=web(tmp_path, server, after_minutes=5)).send(NOW)
        sender(store).send(NOW + 6 * MINUTE)
    assert (server.got, outcomes(store)) == ([], {"desk": "there is no such channel any more"})


def test_a_receipt_tells_a_restarted_service_that_it_was_told(store: Store, tmp_path: Path) -> None:
    with gateway() as server:
        channel = web(tmp_path, server)
        call(store)
        with store.writing():
            number = store.alarms.put_together(store.alarms.waiting(), "", NOW)
            store.tellings.plan(number, "desk", NOW)
        (notice,) = store.alarms.notices()
        (tmp_path / "store.db-alarms").mkdir()
        (tmp_path / "store.db-alarms" / f"{notice.receipt}-desk-1").write_text("begun\n0\n")
        sender(store, desk=channel).send(NOW)
    assert (server.got, outcomes(store)) == ([], {"desk": "told"})


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('kind = "mail"', "alarms.channels.desk: kind mail wants to = [...] and sender"),
        ('kind = "mail"\nto = ["a b"]\nsender = "o@isp.example"', "'a b' is no address"),
        ('kind = "mail"\nto = ["a@b\\r\\nBcc: c@d"]\nsender = "o@isp.example"', "is no address"),
        ('kind = "mail"\nto = ["a@b.example"]\nsender = "o@isp.example"\nserver = "x"', "server 'x' is not HOST:PORT"),
        ('kind = "slack"', "kind slack wants url_file"),
        ('kind = "webhook"\nurl_file = "/x"\nbody = { text = "hello" }', "body has neither {line} nor {text}"),
        ('kind = "pigeon"', "kind"),
        ('kind = "syslog"\nquiet = "25:00-07:00"', "quiet"),
    ],
)
def test_a_channel_that_could_tell_nobody_is_refused(tmp_path: Path, lines: str, says: str) -> None:
    file = tmp_path / "outwarden.toml"
    file.write_text(f"[alarms.channels.desk]\n{lines}\n")
    with pytest.raises(ConfigurationError) as refused:
        checked(load(file, {}))
    assert str(file) in str(refused.value)
    assert says in str(refused.value)


def test_the_digest_comes_once_a_day_and_says_what_stands(store: Store) -> None:
    call(store)
    AlarmSender(store, ()).send(NOW)
    with store.writing():
        store.responses.begin(
            ResponseKind.BLOCK_ACCOUNT, "rosa@isp.example", "spam", "it", {}, ResponseState.DONE, None, NOW
        )
    assert digest(store, NOW)[0] == "today: alarms that nobody answered: 1; held or blocked: 1"
    morning = Digest(store, "08:00", UTC)
    for hours in (2, 5, 5.5, 6, 29):
        morning.write(NOW + timedelta(hours=hours))
    assert [f"{each.written_at:%d %H}" for each in store.alarms.waiting()] == ["25 08", "26 08"]
    assert "  - rosa@isp.example: block-account done\n" in store.alarms.waiting()[0].body
    Digest(store, "", UTC).write(NOW)
    Digest(store, "02:00", UTC).write(NOW + timedelta(hours=3))
    assert len(store.alarms.waiting()) == 2
