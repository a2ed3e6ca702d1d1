"""Handing over: what a mail server or a gateway may answer, or not answer, and how long it takes at most."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from outwarden.responses.notices.message import OutgoingNotice
from outwarden.responses.notices.smtp import Handover, hand_over
from outwarden.responses.notices.webhook import UnusableWebhook, Webhook, check_webhook, send_text

NOTICE = OutgoingNotice("", "rosa@home.example", "<n1@isp.example>", b"Subject: x\r\n\r\n.\r\nHello.\r\n")
SECRET = "s3cret-of-the-gateway"
Talk = Callable[[socket.socket, Any], None]


@contextmanager
def server(talk: Talk) -> Iterator[int]:
    """Serve one connection, whatever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def run() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as lines:
                try:
                    talk(connection, lines)
                except OSError:
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
    thread.join(10)


def smtp(answers: dict[bytes, bytes], heard: list[bytes] | None = None, greeting: bytes = b"220 hello") -> Talk:
    """A mail server that answers by the verb; an empty answer hangs up."""

    def talk(connection: socket.socket, lines: Any) -> None:  # noqa: ANN401
        connection.sendall(greeting + b"\r\n")
        in_message = False
        for line in lines:
            if heard is not None:
                heard.append(line)
            if in_message and line != b".\r\n":
                continue
            verb, in_message = (b"DOT" if in_message else line[:4].strip().upper()), False
            answer = answers.get(verb, b"250 2.0.0 fine")
            if not answer:
                return
            connection.sendall(answer + b"\r\n")
            in_message = verb == b"DATA"

    return talk


GOES_ON = {b"DATA": b"354 go on"}


@pytest.mark.parametrize(
    ("name", "answers", "how", "words"),
    [
        ("it is taken", {}, Handover.TAKEN, "250 2.0.0 fine"),
        ("the recipient is refused", {b"RCPT": b"550 5.1.1 nobody"}, Handover.REFUSED, "550 5.1.1 nobody"),
        ("the recipient must wait", {b"RCPT": b"450 4.2.0 later"}, Handover.TRY_AGAIN, "450 4.2.0 later"),
        ("the sender is refused", {b"MAIL": b"553 5.1.8 no"}, Handover.REFUSED, "553 5.1.8 no"),
        ("the content is refused", {b"DOT": b"554 5.7.1 spam"}, Handover.REFUSED, "554 5.7.1 spam"),
        ("it never says go on", {b"DATA": b"250 2.0.0 fine"}, Handover.TRY_AGAIN, "250"),
        ("it hangs up before", {b"RCPT": b""}, Handover.TRY_AGAIN, "Connection unexpectedly closed"),
        ("it hangs up after the end", {b"DOT": b""}, Handover.UNKNOWN, "Connection unexpectedly closed"),
        ("no more connections", {b"EHLO": b"421 4.3.2 bye", b"HELO": b"421 4.3.2 bye"}, Handover.TRY_AGAIN, "421"),
        ("an answer with controls", {b"RCPT": b"550 \x1b[2J\xff no"}, Handover.REFUSED, "550 [2J"),
    ],
)
def test_what_a_mail_server_says(name: str, answers: dict[bytes, bytes], how: Handover, words: str) -> None:
    with server(smtp(GOES_ON | answers)) as port:
        done = hand_over(NOTICE, port=port, seconds=5)
    assert done.how is how, (name, done)
    assert done.words.startswith(words) and done.words.isprintable()


def test_the_envelope_and_the_message_are_sent_as_they_are() -> None:
    heard: list[bytes] = []
    with server(smtp(GOES_ON, heard)) as port:
        hand_over(NOTICE, port=port, seconds=5)
    said = b"".join(heard)
    assert b"mail FROM:<>" in said and b"rcpt TO:<rosa@home.example>" in said
    assert said.endswith(b"Subject: x\r\n\r\n..\r\nHello.\r\n.\r\n")


def test_nobody_there_is_for_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert hand_over(NOTICE, port=port, seconds=2).how is Handover.TRY_AGAIN


def drips(connection: socket.socket, lines: Any) -> None:  # noqa: ANN401
    """A peer that says a little, again and again, so that no time-out of a socket comes."""
    del lines
    while True:
        connection.sendall(b"220-")
        time.sleep(0.05)


def test_a_mail_server_that_only_drips_is_left() -> None:
    begin = time.monotonic()
    with server(drips) as port:
        done = hand_over(NOTICE, port=port, seconds=0.6)
    assert done.how is Handover.TRY_AGAIN
    assert time.monotonic() - begin < 5


@contextmanager
def gateway(answer: int = 200, **fields: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP gateway that notes what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append({"path": self.path, "fields": dict(self.headers), "body": json.loads(body)})
            self.send_response(answer)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"x" * 1000)

        do_GET = do_PUT = do_POST

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/send?by=outwarden", asked
        listening.shutdown()
    thread.join(10)


BODY = {"to": "{number}", "messages": [{"text": "ISP: {text}", "id": "{reference}", "flash": False}], "ttl": 3}


def test_a_gateway_is_asked_as_it_was_declared() -> None:
    hostile = 'It"s {number}\r\nX: y {reference}'
    with gateway() as (url, asked):
        done = send_text(Webhook(url=url, body=BODY), SECRET, "+390551234567", hostile, "OW-1")
    assert done.how is Handover.TAKEN
    (request,) = asked
    assert request["path"] == "/send?by=outwarden"
    assert request["fields"]["Authorization"] == f"Bearer {SECRET}"
    assert request["body"] == {
        "to": "+390551234567",
        "messages": [{"text": 'ISP: It"s {number} X: y {reference}', "id": "OW-1", "flash": False}],
        "ttl": 3,
    }


@pytest.mark.parametrize(
    ("answer", "how"),
    [(201, Handover.TAKEN), (400, Handover.REFUSED), (401, Handover.REFUSED), (429, Handover.TRY_AGAIN),
     (500, Handover.TRY_AGAIN)],
)  # fmt: skip
def test_what_a_gateway_answers(answer: int, how: Handover) -> None:
    with gateway(answer) as (url, _):
        done = send_text(Webhook(url=url, body=BODY), SECRET, "+390551234567", "Hello.", "OW-1")
    assert (done.how, done.words) == (how, f"the gateway answered {answer}")


def test_a_redirect_takes_neither_the_text_nor_the_secret_elsewhere() -> None:
    with gateway() as (elsewhere, there), gateway(307, Location=elsewhere) as (url, asked):
        done = send_text(Webhook(url=url, body=BODY), SECRET, "+390551234567", "Hello.", "OW-1")
    assert (done.how, len(asked), there) == (Handover.REFUSED, 1, [])
    assert "correct the url" in done.words


@pytest.mark.parametrize("talk", [drips, lambda connection, _: connection.recv(1) and time.sleep(2)])
def test_a_gateway_that_does_not_end_is_left(talk: Talk) -> None:
    begin = time.monotonic()
    with server(talk) as port:
        webhook = Webhook(url=f"http://127.0.0.1:{port}/", body=BODY, seconds=0.5)
        done = send_text(webhook, SECRET, "+390551234567", "Hello.", "OW-1")
        assert time.monotonic() - begin < 2
    assert done.how is Handover.UNKNOWN and SECRET not in done.words


def endless(connection: socket.socket, lines: Any) -> None:  # noqa: ANN401
    while lines.readline() not in (b"\r\n", b""):
        pass
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def test_an_endless_answer_is_read_no_further_than_needed() -> None:
    with server(endless) as port:
        webhook = Webhook(url=f"http://127.0.0.1:{port}/", body=BODY, seconds=5)
        assert send_text(webhook, "", "+390551234567", "Hello.", "OW-1").how is Handover.TAKEN


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "http://sms.isp.example/"}, "is not https, and not on this machine"),
        ({"url": "ftp://127.0.0.1/"}, "is not https"),
        ({"url": "https://"}, "is no URL"),
        ({"url": "https://sms.isp.example/a b"}, "is no URL"),
        ({"url": "https://sms.isp.example:port/"}, "is no URL"),
        ({"url": "https://me:secret@sms.isp.example/"}, "put the secret into a file of its own"),
        ({"body": {"to": "{number}"}}, "body has no {text}"),
        ({"secret_header": "A: b\r\nC"}, "is no name of a header field"),
        ({"secret_prefix": "a\r\n"}, "secret_prefix is not printable ASCII"),
    ],
)
def test_settings_that_cannot_be_used_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UnusableWebhook) as raised:
        check_webhook(Webhook(**({"url": "https://sms.isp.example/", "body": BODY} | changes)))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("secret", "number", "words"),
    [("two words", "+390551234567", "the secret is not one word"), (SECRET, "055 1234", "is no telephone number"),
     ("a\r\nX: y", "+390551234567", "the secret is not one word")],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_anybody_is_asked(secret: str, number: str, words: str) -> None:
    with pytest.raises(UnusableWebhook) as raised:
        send_text(Webhook(url="http://127.0.0.1:1/", body=BODY), secret, number, "Hello.", "OW-1")
    assert words in str(raised.value) and secret not in str(raised.value)
