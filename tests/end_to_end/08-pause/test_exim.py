"""A real Exim, prepared as ``packaging/exim`` says, is paused and resumed without a reload."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lab.exim
import pytest
from lab.exim import Exim, exim_program
from lab.mail_of_the_day import JAN, ROSA, submit
from lab.smtp_world import Sink
from lab.waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real Exim needs root")
PARTS = (Path(__file__).parents[3] / "packaging/exim/outwarden-pauses.conf").read_text()

Verb = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture
def exim(home: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exim]:
    (home / "pauses").mkdir()
    for name in ("accounts", "destinations"):
        (home / "pauses" / name).touch()
    monkeypatch.setattr(lab.exim, "_SETTINGS", _prepared(lab.exim._SETTINGS, home / "pauses"))
    server = Exim(home, exim_program(), sink, "+received_sender")
    _put_on_path(server, home, monkeypatch)
    yield server
    server.stop()


@pytest.fixture
def verb(exim: Exim, home: Path, outwarden: Verb) -> Verb:
    (home / "outwarden.toml").write_text(
        f'[store]\npath = "{home}/kept/outwarden.db"\n[mail_server]\nkind = "exim"\n[control]\nsocket = ""\n'
    )
    return lambda *words, **more: outwarden("--config", home / "outwarden.toml", "--json", *words, **more)


def test_the_whole_server_waits_and_then_delivers(exim: Exim, sink: Sink, verb: Verb) -> None:
    submit(exim.port, JAN[0], ["ann@bigmail.example"], JAN)
    wait_until(lambda: len(sink.accepted) == 1, "the first message")
    assert verb("pause", "--reason", "spam")[0]["state"] == "done"
    submit(exim.port, JAN[0], ["bob@bigmail.example"], JAN)
    wait_until(lambda: exim.log_says("outbound mail is paused"), "the deferral")
    verb("pause")
    assert len(sink.accepted) == 1
    verb("resume")
    wait_until(lambda: len(sink.accepted) == 2, "what waited")


def test_one_destination_waits(exim: Exim, sink: Sink, verb: Verb) -> None:
    verb("pause", "--destination", "bigmail.example")
    submit(exim.port, JAN[0], ["ann@bigmail.example", "bob@far.example"], JAN)
    wait_until(lambda: exim.log_says("mail for bigmail.example is paused") and len(sink.accepted) == 1, "the other")
    assert sink.accepted[0].recipients == ["bob@far.example"]
    verb("resume", "--destination", "bigmail.example")
    wait_until(lambda: len(sink.accepted) == 2, "what waited")


def test_one_account_is_frozen_and_what_it_has_is_deleted_with_an_archive(exim: Exim, sink: Sink, verb: Verb) -> None:
    submit(exim.port, ROSA[0], ["busy-ida@bigmail.example"], ROSA)
    wait_until(lambda: exim.log_says("Please try again later"), "a deferral")
    assert verb("pause", "--account", ROSA[0])[0]["remarks"] == ["messages put on hold: 1"]
    submit(exim.port, ROSA[0], ["ann@bigmail.example"], ROSA)
    submit(exim.port, JAN[0], ["ann@bigmail.example"], JAN)
    wait_until(lambda: len(sink.accepted) == 1, "Jan's message")
    assert sink.accepted[0].sender == JAN[0]
    assert exim.run("-bp").count("*** frozen ***") == 2
    (deleted,) = verb("queue", "delete", "--account", ROSA[0])
    assert len(deleted["queue_ids"]) == 2
    assert Path(deleted["archive"]).stat().st_size > 500
    assert exim.run("-bp") == ""
    verb("resume", "--account", ROSA[0])
    submit(exim.port, ROSA[0], ["ann@bigmail.example"], ROSA)
    wait_until(lambda: len(sink.accepted) == 2, "Rosa's mail")


def _prepared(settings: str, pauses: Path) -> str:
    """Put the three parts of the snippet where it says they go."""
    _, macro, acl, routers = re.split(r"^# \d\..*\n(?:#.*\n)*", PARTS, flags=re.MULTILINE)
    macro = macro.replace("/var/spool/exim4/outwarden", str(pauses))
    macro += "domainlist local_domains = isp.example\n"
    for part, before in ((macro, "exim_path ="), (acl, "  accept authenticated = *"), (routers, "alias:\n")):
        assert settings.count(before) == 1
        settings = settings.replace(before, part.replace("{", "{{").replace("}", "}}") + before)
    return settings


def _put_on_path(server: Exim, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find this instance as exim4, with the environment that it needs here."""
    (home / "bin").mkdir()
    program = home / "bin/exim4"
    names = ("LD_PRELOAD", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP")
    exports = "".join(f"export {name}='{server._environment[name]}'\n" for name in names)
    program.write_text(f"#!/bin/sh\n{exports}exec '{server._program}' -C '{server._settings}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
