"""A postmaster sets up a domain from nothing, publishing what Outwarden advises, until nothing fails any more.

The resolver is a real unbound on loopback that holds the zones itself and refuses everything else.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.waiting import free_port

ROOT = Path(__file__).resolve().parents[3]
UNBOUND = shutil.which("unbound", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(UNBOUND is None, reason="unbound is not installed")

CONFIGURATION = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  local-zone: "." refuse
  local-zone: "isp.example." static
  local-zone: "2.0.192.in-addr.arpa." static
{records}
remote-control:
  control-enable: no
"""
BEFORE = [
    "isp.example. IN SOA ns.isp.example. hostmaster.isp.example. 1 2 3 4 5",
    "isp.example. IN MX 10 mx.isp.example.",
    'isp.example. IN TXT "v=spf1 mx ptr +all"',
    "mx.isp.example. IN A 192.0.2.10",
    "mail.isp.example. IN A 192.0.2.99",
    '_dmarc.isp.example. IN TXT "v=DMARC1; p=quarantine; pct=50"',
]
OURS = ("--address", "192.0.2.25", "--helo", "mail.isp.example")


@contextmanager
def unbound(folder: Path, records: Sequence[str]) -> Iterator[str]:
    """A resolver that knows these records; gives its address and port."""
    assert UNBOUND is not None
    port = free_port()
    lines = "\n".join(f"  local-data: '{record}'" for record in records)
    configuration = folder / "unbound.conf"
    configuration.write_text(CONFIGURATION.format(port=port, folder=folder, records=lines), encoding="utf-8")
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


def answer(resolver: str, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """The checks that Outwarden prints, by name."""
    ended = subprocess.run(
        [sys.executable, "-m", "outwarden", "--json", "authentication", *arguments, "--resolver", resolver],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    checks: dict[str, list[dict[str, str]]] = {}
    for check in json.loads(ended.stdout)["checks"]:
        checks.setdefault(check["name"], []).append(check)
    return checks


def advised(checks: dict[str, list[dict[str, str]]]) -> list[str]:
    """The records to publish for what fails or could be better, each once."""
    everything = [check for same in checks.values() for check in same if check["state"] in {"fail", "warn"}]
    return list(dict.fromkeys(check["record_to_publish"] for check in everything if check["record_to_publish"]))


def replaced(records: Sequence[str], new: Sequence[str]) -> list[str]:
    """The zone with new records in place of those of the same name and type."""

    def key(record: str) -> tuple[str, ...]:
        return tuple(record.split()[:3])

    by_key = {key(record): record for record in records}
    return list({**by_key, **{key(record): record for record in new}}.values())


def failing(checks: dict[str, list[dict[str, str]]]) -> set[str]:
    return {name for name, same in checks.items() if any(check["state"] == "fail" for check in same)}


def test_publishing_what_is_advised_cures_it(tmp_path: Path) -> None:
    records = BEFORE
    with unbound(tmp_path, records) as resolver:
        checks = answer(resolver, "isp.example", *OURS)
    assert failing(checks) == {"reverse-name", "helo", "spf-ending", "dkim-key", "dmarc-reports"}
    for _ in range(3):  # A record may show the next thing to do.
        records = replaced(records, advised(checks))
        with unbound(tmp_path, records) as resolver:
            checks = answer(resolver, "isp.example", *OURS)
    # What no record cures: a key that only the server can make, a policy that somebody has to serve.
    assert failing(checks) == {"dkim-key", "mta-sts-policy"}
    assert checks["spf-address"][0]["text"].startswith("192.0.2.25: pass")


def test_what_the_resolver_refuses_is_unknown_and_not_missing(tmp_path: Path) -> None:
    with unbound(tmp_path, BEFORE) as resolver:
        states = {check["state"] for same in answer(resolver, "elsewhere.example").values() for check in same}
    assert states == {"unknown"}
