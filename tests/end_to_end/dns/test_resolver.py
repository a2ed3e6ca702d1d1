"""A real unbound that is honest, rewrites, refuses us, or is gone: what `blocklists` says through each."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.waiting import free_port

ROOT = Path(__file__).resolve().parents[3]
UNBOUND = shutil.which("unbound", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(UNBOUND is None, reason="unbound is not installed (tests/debian-packages.txt)")

CONFIGURATION = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 {access}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
{zones}
remote-control:
  control-enable: no
"""
LISTS = ("first", "second")
CATALOGUE = """
[{name}]
operator = "us"
zone = "{name}.lists.example"
meaning = "a list"
asks = ["ipv4"]
tier = "major"
life = {{ state = "alive", source = "us" }}
codes = {{ "127.0.0.2" = {{ means = "sends spam", votes = "spam-source" }} }}
"""
TOP_LEVEL = ("com", "net", "org", "de", "uk")
WEB_PAGE, LIKE_A_LISTING = "198.51.100.7", "127.0.0.2"


def local_zones(rewritten_to: str | None) -> str:
    """The lists and top-level domains, honest or with an address for every name."""
    zones = []
    for name in (*TOP_LEVEL, *(f"{each}.lists.example" for each in LISTS)):
        zones.append(f'  local-zone: "{name}." {"redirect" if rewritten_to else "static"}')
        if rewritten_to:
            zones.append(f'  local-data: "{name}. A {rewritten_to}"')
        elif name.endswith(".lists.example"):
            zones.append(f'  local-data: "2.0.0.127.{name}. A 127.0.0.2"')
    zones.append('  local-data: "10.2.0.192.first.lists.example. A 127.0.0.2"' if not rewritten_to else "")
    return "\n".join(zones)


@contextmanager
def unbound(folder: Path, rewritten_to: str | None = None, access: str = "allow") -> Iterator[str]:
    """A resolver; gives its address and port."""
    assert UNBOUND is not None
    port = free_port()
    configuration = folder / "unbound.conf"
    configuration.write_text(
        CONFIGURATION.format(port=port, folder=folder, access=access, zones=local_zones(rewritten_to)), encoding="utf-8"
    )
    with (folder / "unbound.log").open("wb") as log:
        server = subprocess.Popen([UNBOUND, "-d", "-c", str(configuration)], stdout=log, stderr=log)
    try:
        wait_until_it_listens(server, port, folder / "unbound.log")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_until_it_listens(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for the TCP side, at most ten seconds."""
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"unbound does not listen: {log.read_text(errors='replace')}")


def asked(folder: Path, resolver: str) -> tuple[int, set[tuple[str, str, str | None]], list[str]]:
    """The exit code, of each list the answer and why not, and the lines on standard error."""
    (folder / "lists.toml").write_text("".join(CATALOGUE.format(name=name) for name in LISTS), encoding="utf-8")
    catalogue = ("--catalogue", str(folder / "lists.toml"), "--resolver", resolver)
    ended = subprocess.run(
        [sys.executable, "-m", "outwarden", "--json", "blocklists", "192.0.2.10", *catalogue],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    results = json.loads(ended.stdout)["results"]
    answers = {(each["list"], each["answer"], each["why_not"]) for each in results}
    return ended.returncode, answers, ended.stderr.splitlines()


def nobody_could_be_asked(why_not: str) -> set[tuple[str, str, str | None]]:
    return {(name, "could-not-ask", why_not) for name in LISTS}


def test_through_an_honest_one(tmp_path: Path) -> None:
    with unbound(tmp_path) as resolver:
        answers = {("first", "listed", None), ("second", "not-listed", None)}
        assert asked(tmp_path, resolver) == (0, answers, [])


@pytest.mark.parametrize("address", [WEB_PAGE, LIKE_A_LISTING])
def test_through_one_that_rewrites(tmp_path: Path, address: str) -> None:
    with unbound(tmp_path, rewritten_to=address) as resolver:
        code, answers, told = asked(tmp_path, resolver)
    assert (code, answers) == (1, nobody_could_be_asked("rewritten"))
    assert len(told) == 1
    assert told[0].startswith(f"outwarden: resolver {resolver} says {address} where no name is (")
    assert told[0].endswith("run a resolver of your own, and name it with --resolver HOST[:PORT]")


def test_through_one_that_refuses_us(tmp_path: Path) -> None:
    with unbound(tmp_path, access="refuse") as resolver:
        code, answers, told = asked(tmp_path, resolver)
    assert (code, answers) == (1, nobody_could_be_asked("refused"))
    assert told == [
        f"outwarden: resolver {resolver} refuses all questions; allow this host to ask it, or name another with "
        "--resolver HOST[:PORT]"
    ]


@pytest.mark.parametrize(("access", "words"), [("deny", "is silent: no answer within "), (None, "is not there: ")])
def test_through_one_that_is_dead(tmp_path: Path, access: str | None, words: str) -> None:
    if access is None:
        with unbound(tmp_path) as resolver:
            pass
        code, answers, told = asked(tmp_path, resolver)
    else:
        with unbound(tmp_path, access=access) as resolver:
            code, answers, told = asked(tmp_path, resolver)
    assert (code, answers) == (1, nobody_could_be_asked("timeout"))
    assert len(told) == 1
    assert told[0].startswith(f"outwarden: resolver {resolver} {words}")
