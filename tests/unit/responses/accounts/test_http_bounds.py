"""What an HTTP interface may not do to us, and what an account may not become in a request."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from tests.unit.responses.accounts.panel import Asked, panel

from outwarden.responses.accounts.connector import Answer, OperatorFault, TemporaryFault
from outwarden.responses.accounts.http_answers import moment_or_none
from outwarden.responses.accounts.http_api import HttpAccounts
from outwarden.responses.accounts.http_exchange import path_of, pointed
from outwarden.responses.accounts.http_settings import HttpSettings
from outwarden.responses.accounts.secret import Secret
from outwarden.responses.templates import filled

ROSA = "rosa@isp.example"
TABLE: dict[str, Any] = {
    "kind": "http",
    "find": {"path": "/accounts/{account}", "exists": "/name", "locked": "/locked"},
    "set_password": {"method": "POST", "path": "/accounts/{account}", "json": {"password": "{password}"}},
    "seconds": 3.0,
}


def accounts(url: str, secret: Secret | None = None, **more: object) -> HttpAccounts:
    return HttpAccounts("panel", msgspec.convert({**TABLE, "url": url, **more}, HttpSettings), secret)


@pytest.mark.parametrize(
    ("status", "fault", "words"),
    [
        (302, OperatorFault, "elsewhere"),
        (401, OperatorFault, "look at the secret"),
        (403, OperatorFault, "look at the secret"),
        (429, TemporaryFault, "429"),
        (500, TemporaryFault, "500"),
        (503, TemporaryFault, "503"),
        (418, OperatorFault, "418"),
    ],
)
def test_statuses(status: int, fault: type[Exception], words: str) -> None:
    with panel(lambda asked: (status, {})) as at, pytest.raises(fault, match=words):
        accounts(at.url).find(ROSA)


def test_no_redirect_is_followed() -> None:
    with panel(lambda asked: (307, None)) as at:
        with pytest.raises(OperatorFault):
            accounts(at.url).set_password(ROSA, Secret("Tops3cret"))
        assert len(at.asked) == 1


@pytest.mark.parametrize(
    "content", [b"<html>", b"[" * 100_000, b"\xff\xfe", b"null", b'"text"', b'{"name": {"name": []}}'], ids=repr
)
def test_answers_that_are_no_account(content: bytes) -> None:
    with panel(lambda asked: (200, content)) as at:
        found = accounts(at.url).find(ROSA)
        assert found is None or found.locked is None


def test_an_answer_has_a_size() -> None:
    with panel(lambda asked: (200, b'"' + b"x" * (2 << 20))) as at, pytest.raises(OperatorFault, match="more than"):
        accounts(at.url).find(ROSA)


def test_an_answer_has_a_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TemporaryFault):
            accounts(url, seconds=0.3).find(ROSA)


def test_nobody_there_is_for_later() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(TemporaryFault, match="refused"):
        accounts(url).find(ROSA)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://panel.example", "https://", "https://name:word@panel.example", "https://panel.example/?a=b", "panel",
        "https://panel.example/#x", "https://panel.example:port", "https://panel .example", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_urls_that_will_not_do(url: str) -> None:
    with pytest.raises(OperatorFault):
        accounts(url)


def test_plain_http_speaks_to_this_machine_alone() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Which sends nothing, and only asks the routing table.
        except OSError:
            pytest.skip("this machine has no other address of its own")
        own = probe.getsockname()[0]
    with socket.create_server((own, 0)) as elsewhere, pytest.raises(OperatorFault, match="not this machine"):
        accounts(f"http://{own}:{elsewhere.getsockname()[1]}").find(ROSA)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table["find"].update(path="accounts"), "begins with /"),
        (lambda table: table["find"].update(path="/accounts?name={account}"), "no \\? or #"),
        (lambda table: table["find"].update(path="/accounts"), "names no account"),
        (lambda table: table["find"].update(path="/{account}/{password}"), "cannot be put in"),
        (lambda table: table["set_password"].update(path="/{account}/{password}"), "cannot be put in"),
        (lambda table: table["set_password"].update(json={}), "no {password}"),
        (lambda table: table["find"].update(rows="/data"), "find.row"),
        (lambda table: table.update(headers={"X": "{secret}"}), "no secret_file"),
        (lambda table: table.update(token={"url": "https://t.example"}), "needs a secret_file"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_tables_that_cannot_be_right(change: Callable[[dict[str, Any]], None], words: str) -> None:
    table = msgspec.to_builtins(TABLE) | {"url": "https://panel.example"}
    change(table)
    with pytest.raises(OperatorFault, match=words):
        HttpAccounts("panel", msgspec.convert(table, HttpSettings))


def test_a_secret_that_would_break_the_header_is_refused() -> None:
    with panel(lambda asked: (200, {})) as at, pytest.raises(OperatorFault, match="cannot be sent"):
        accounts(at.url, Secret("a\r\nHost: x"), headers={"X-Key": "{secret}"}).find(ROSA)


@pytest.mark.parametrize(
    ("account", "path"),
    [
        (ROSA, "/a/rosa%40isp.example"),
        ("a/../b", "/a/a%2F..%2Fb"),
        ("a?b#c", "/a/a%3Fb%23c"),
        ("{secret}", "/a/%7Bsecret%7D"),
        ("räksmörgås", "/a/r%C3%A4ksm%C3%B6rg%C3%A5s"),
    ],
)
def test_an_account_stays_one_segment(account: str, path: str) -> None:
    assert path_of("panel", "/a/{account}", {}, {"account": account, "secret": "s3cret"}) == path


def test_no_account_climbs() -> None:
    with pytest.raises(OperatorFault):
        path_of("panel", "/a/{account}/rules", {}, {"account": ".."})


def test_a_value_is_put_in_once() -> None:
    assert filled({"a": ["{account}", 1, None]}, {"account": "{password}", "password": "x"}) == {
        "a": ["{password}", 1, None]
    }


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("", {"a": [{"b/c": 1}, 2]}), ("/a/0/b~1c", 1), ("/a/1", 2), ("/a/2", None), ("/a/-1", None), ("/x/y", None)],
)
def test_pointers(pointer: str, found: object) -> None:
    assert pointed({"a": [{"b/c": 1}, 2]}, pointer) == found


@pytest.mark.parametrize("text", ["", "yesterday", None, True, [], 1e300, float("nan"), "2026-13-01"])
def test_no_time_is_none(text: object) -> None:
    assert moment_or_none(text) is None


def test_a_password_is_not_told() -> None:
    def answers(asked: Asked) -> tuple[int, Any]:
        return 400, {"message": f"too weak: {asked.body['password']}"}

    with panel(answers) as at:
        outcome = accounts(at.url).set_password(ROSA, Secret("Tops3cret"))
    assert outcome.answer is Answer.COULD_NOT
    assert outcome.words == "panel: answers 400: too weak: <secret>"
