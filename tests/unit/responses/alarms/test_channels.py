"""What each channel is told, byte for byte where others read it, and what strangers' words cannot do there."""

from __future__ import annotations

import email
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.policy import SMTP
from pathlib import Path

import pytest

from outwarden.responses.alarms.mail import tell_by_mail
from outwarden.responses.alarms.message import AlarmMessage, CouldNotTell
from outwarden.responses.alarms.shapes import MOST_TEXT, declared, mattermost, slack, teams
from outwarden.responses.alarms.syslog import tell_syslog
from outwarden.responses.alarms.web import tell_web

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
CALL = AlarmMessage(7, "call", "rosa@isp.example waits", "Type: outwarden account show rosa@isp.example\n", AT)
EVIL = AlarmMessage(8, "began", "@channel <!here> [click](http://evil.example)", "``` @all <b>&</b>\n# x", AT)


def test_slack() -> None:
    assert slack(CALL) == {
        "text": "*rosa@isp.example waits*\n```Type: outwarden account show rosa@isp.example```",
    }
    assert slack(EVIL)["text"] == (
        "*@channel &lt;!here&gt; [click](http://evil.example)*\n```''' @all &lt;b&gt;&amp;&lt;/b&gt;\n# x```"
    )


def test_mattermost() -> None:
    assert mattermost(CALL)["priority"] == {"priority": "urgent"}
    text = mattermost(EVIL)["text"]
    assert "@channel" not in text
    assert "@all" not in text
    assert "[click](" not in text
    assert text.count("```") == 2
    assert "priority" not in mattermost(EVIL)


def test_teams() -> None:
    (attachment,) = teams(CALL)["attachments"]
    card = attachment["content"]
    assert (attachment["contentType"], card["type"], card["version"]) == (
        "application/vnd.microsoft.card.adaptive", "AdaptiveCard", "1.4",
    )  # fmt: skip
    assert card["body"][0]["color"] == "Attention"
    assert "[click](" not in str(teams(EVIL))


def test_a_sites_own_json_is_filled_in_one_pass() -> None:
    message = AlarmMessage(3, "call", "{text}", "body", AT)
    assert declared({"a": ["{line}", {"b": "{turn} {id}"}], "n": 5}, message) == {
        "a": ["{text}", {"b": "call 3"}],
        "n": 5,
    }


def test_a_long_text_is_cut_and_says_where_the_rest_is() -> None:
    text = slack(AlarmMessage(9, "call", "x", "y" * 100_000, AT))["text"]
    assert len(text) < MOST_TEXT + 200
    assert "see: outwarden alarms show 9" in text


def test_syslog(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(path)
        tell_syslog(AlarmMessage(7, "call", "a\nb\x1b[31m", "", AT), path)
        assert log.recv(4096) == b"<17>outwarden: alarm 7 call: a b [31m"
        tell_syslog(AlarmMessage(8, "ended", "x" * 5_000, "", AT), path)
        assert len(log.recv(4096)) < 1_000
    with pytest.raises(CouldNotTell, match=r"Connection refused|No such file"):
        tell_syslog(CALL, path)


@contextmanager
def mail_server(answer: str = "250 ok") -> Iterator[tuple[str, list[str]]]:
    got: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            text = False
            for raw in self.rfile:
                line = raw.decode()
                got.append(line)
                if text:
                    text = line != ".\r\n"
                    if not text:
                        self.wfile.write(f"{answer}\r\n".encode())
                elif line.upper() == "DATA\r\n":
                    text = True
                    self.wfile.write(b"354 go on\r\n")
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Session) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", got
        finally:
            server.shutdown()
            thread.join()


def test_a_mail() -> None:
    message = AlarmMessage(7, "call", "rosa waits\r\nBcc: all@isp.example", "Type this.\n", AT)
    with mail_server() as (server, got):
        tell_by_mail(message, server, "outwarden@isp.example", ("kim@desk.example",))
    said = "".join(got)
    assert "mail FROM:<outwarden@isp.example>\r\n" in said
    assert "rcpt TO:<kim@desk.example>\r\n" in said
    mail = email.message_from_string(said.partition("data\r\n")[2], policy=SMTP)
    assert mail["Subject"] == "[outwarden] rosa waits Bcc: all@isp.example"
    assert mail["Bcc"] is None
    assert (mail["Auto-Submitted"], mail["Importance"]) == ("auto-generated", "high")
    assert mail["Message-ID"] == "<alarm-7-20261125030000@isp.example>"


def test_a_mail_that_is_refused() -> None:
    with mail_server("550 5.7.1 not you") as (server, _), pytest.raises(CouldNotTell, match=r"550 5\.7\.1 not you"):
        tell_by_mail(CALL, server, "outwarden@isp.example", ("kim@desk.example",))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://192.0.2.1/hook", "not this machine"),
        ("ftp://127.0.0.1/", "http"),
        ("nothing", "http"),
        ("https://user:s3cret@hooks.example/", "name or password in it"),
    ],
)
def test_urls_that_will_not_do(url: str, says: str) -> None:
    with pytest.raises(CouldNotTell, match=says) as refused:
        tell_web(url, {})
    assert "s3cret" not in str(refused.value)
