"""Real clients of rspamd ask the gate instead: its command ``rspamc``, and its proxy, which is a milter to Postfix."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.doors import Doors
from lab.waiting import free_port, wait_until
from tests.unit.filter.mail_server import answers_in, frame, hello, macros, sender, strings

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a socket is given to another group"),
    pytest.mark.skipif(not shutil.which("rspamd"), reason="rspamd is not installed"),
]

# As docs/reference/doors.md says: without its action registered the proxy defers what should be held.
_PROXY = """
options {{ filters = []; explicit_modules = []; local_addrs = []; dns {{ nameserver = ["127.0.0.1:9"]; }}
  control_socket = "{home}/control.sock mode=0600"; url_tld = "{home}/suffixes"; hs_cache_dir = "{home}";
  cache_file = "{home}/cache"; tempdir = "{home}"; }}
logging {{ type = "file"; filename = "{home}/rspamd.log"; level = "info"; }}
actions {{ reject = 15; quarantine = {{ flags = ["no_threshold"]; }} }}
worker "rspamd_proxy" {{ bind_socket = "{home}/proxy.sock mode=0666"; milter = yes; count = 1; timeout = 60s;
  upstream "local" {{ default = yes; hosts = "127.0.0.1:{port}"; }} }}
"""


@pytest.fixture
def doors(home: Path) -> Iterator[Doors]:
    doors = Doors(home, "mail", {"rspamd": free_port()})
    doors.start()
    yield doors
    doors.stop()


def test_rspamc(doors: Doors, home: Path) -> None:
    (home / "letter").write_text("Subject: refuse\n\nHello.\n")
    identity = ["-i", "192.0.2.7", "-F", "rosa@isp.example", "-r", "ann@b.example", "-u", "rosa", "--helo", "laptop"]
    program = ["rspamc", "-h", f"127.0.0.1:{doors.places['rspamd']}", *identity, home / "letter"]
    said = subprocess.run(program, capture_output=True, text=True, check=True, timeout=20).stdout
    assert "\nAction: reject\nSpam: true\nScore: 15.00 / 15.00\nSymbol: OUTWARDEN_REFUSE (15.00)\n" in said
    assert "smtp_message: The text of your message is spam; 100 % of $it. Case 17\n" in said
    (seen,) = doors.seen()
    assert (seen["text"], seen["sender"]) == ("Subject: refuse\n\nHello.\n", "rosa@isp.example")
    assert (seen["recipients"], seen["login"]) == (["ann@b.example"], "rosa")
    assert (seen["client_address"], seen["helo"]) == ("192.0.2.7", "laptop")


@contextmanager
def proxy(home: Path, port: int) -> Iterator[Path]:
    """Run rspamd's proxy; return the socket of its milter."""
    (home / "suffixes").write_text("example\n")
    (home / "rspamd.conf").write_text(_PROXY.format(home=home, port=port))
    program = ["rspamd", "-i", "-f", "-c", home / "rspamd.conf"]
    running = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _takes_connections(home / "proxy.sock"), "rspamd's proxy", 60)
        yield home / "proxy.sock"
    finally:
        running.terminate()
        running.wait(20)


def _takes_connections(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def test_the_proxy_of_rspamd(doors: Doors, home: Path) -> None:
    port = doors.places["rspamd"]
    assert isinstance(port, int)
    with proxy(home, port) as path:
        said = {word: _said_by_milter(path, word) for word in ("fine", "refuse", "defer", "hold", "mark")}
    assert said["fine"] == [("a", b"")]
    assert said["refuse"] == [("y", b"554 5.7.1 The text of your message is spam; 100 % of $it. Case 17\0")]
    assert said["defer"] == [("y", b"451 4.7.1 You have sent more than ever before; try again in an hour. Case 18\0")]
    assert said["hold"] == [
        ("h", b"X-Mark\0of rosa\n\tfolded\0"),
        ("q", b"Spam message quarantined\0"),
        ("a", b""),
    ]
    assert sorted(said["mark"][:-1]) == [
        ("h", b"X-Mark\0of rosa\n\tfolded\0"),
        ("h", b"X-Second\0two: parts\0"),
        ("m", b"\0\0\0\1X-Forged\0\0"),
    ]
    assert {(one["login"], one["client_address"]) for one in doors.seen()} == {("rosa@isp.example", "192.0.2.7")}


def _said_by_milter(path: Path, subject: str) -> list[tuple[str, bytes]]:
    """Hand a message in as Postfix would; return what is answered at its end."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.settimeout(15)
        connected.connect(str(path))
        connected.sendall(hello() + sender())
        connected.sendall(
            macros("R", rcpt_addr="ann@b.example")
            + strings("R", "<ann@b.example>")
            + strings("L", "Subject", subject)
            + strings("L", "X-Forged", "yes")
            + frame("N")
            + frame("B", b"Hello.\r\n")
            + macros("E", i="4jYgM74ky5zJbNv")
            + frame("E")
        )
        heard = b""
        while not (said := [one for one in answers_in(heard) if one[0] not in "Oc"]) or said[-1][0] not in "aty":
            heard += connected.recv(1 << 16)
        return said
