"""The whole way, as an operator would: lists on loopback, the service, its alarms, the monitor's line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.dns.lying_lists import says, zone
from tests.unit.service.watched_lists import CLEAN, LISTED, REFUSING, Site, watched_site

PERFDATA = "targets=1;;;0; targets_listed={};;;0;1 could_not_ask={};;;0;"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with watched_site(tmp_path) as made:
        yield made


def sent(site: Site) -> list[str]:
    return site.sent.read_text().splitlines() if site.sent.exists() else []


def test_one_alarm_when_it_begins_and_one_when_it_ends(site: Site) -> None:
    for behaviour in (CLEAN, LISTED, LISTED, REFUSING, LISTED, REFUSING, CLEAN, CLEAN):
        site.says("big", behaviour)
        ran = site.outwarden("run", "--once")
        assert ran.returncode == 0, ran.stderr
    assert sent(site) == [
        "192.0.2.10 is listed by big (spam source)",
        "192.0.2.10 is no longer listed by big (it was for 0 min)",
    ]


def test_what_one_round_changes_is_one_run_of_the_command(site: Site) -> None:
    site.says("big", LISTED)
    site.says("small", LISTED)
    ran = site.outwarden("run", "--once")
    assert sent(site) == ["192.0.2.10 is listed by big (spam source); 1 more listing began"]
    assert "alarm 1 began: 192.0.2.10 is listed by big" in ran.stderr
    assert "alarm 2 began: 192.0.2.10 is listed by small" in ran.stderr


def test_the_monitor_reads_what_the_service_wrote(site: Site) -> None:
    assert site.outwarden("run", "--once").returncode == 0
    assert site.outwarden("monitor", "blocklists").stdout.startswith(
        f"OUTWARDEN BLOCKLISTS OK - none of 1 watched is on any of 2 lists | listed=0;0;;0; major=0;;0;0; "
        f"{PERFDATA.format(0, 0)} oldest_s="
    )
    site.says("small", LISTED)
    site.outwarden("run", "--once")
    warned = site.outwarden("monitor", "blocklists")
    assert (warned.returncode, warned.stderr) == (1, "")
    assert warned.stdout.startswith("OUTWARDEN BLOCKLISTS WARNING - 192.0.2.10 on small (spam source) since ")
    site.says("big", LISTED)
    site.outwarden("run", "--once")
    asked = len(site.server.asked)
    alarmed = site.outwarden("monitor", "blocklists")
    assert alarmed.returncode == 2
    assert alarmed.stdout.startswith("OUTWARDEN BLOCKLISTS CRITICAL - 192.0.2.10 on big (spam source) since ")
    assert "and 1 more | listed=2;0;;0; major=1;;0;0;" in alarmed.stdout
    assert len(site.server.asked) == asked, "the monitor asks nobody"


@pytest.mark.parametrize(
    ("behaviour", "code", "begin"),
    [
        (CLEAN, 0, "OUTWARDEN BLOCKLISTS OK - none of 1 watched is on any of 2 lists | "),
        (LISTED, 2, "OUTWARDEN BLOCKLISTS CRITICAL - 192.0.2.10 on big (spam source) | "),
        (REFUSING, 3, "OUTWARDEN BLOCKLISTS UNKNOWN - 0 of 1 major lists answered about 192.0.2.10; see "),
    ],
    ids=["clean", "listed", "refusing"],
)
def test_without_a_store_the_monitor_asks(site: Site, behaviour, code: int, begin: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    site.says("big", behaviour)
    answer = site.outwarden("monitor", "blocklists")
    assert answer.returncode == code
    assert answer.stdout.startswith(begin)
    assert not site.store.exists()


def test_delisting_is_refused_until_the_cause_is_fixed(site: Site) -> None:
    site.says("big", LISTED)
    site.outwarden("run", "--once")
    request = ("delisting", "request", "192.0.2.10", "big")
    early = site.outwarden(*request)
    assert (early.returncode, early.stdout) == (4, "")
    assert early.stderr == (
        "outwarden: too early: the cause of the listing by big is not marked as fixed; find it, end it, mark it\n"
    )
    assert site.outwarden("delisting", "fixed", "192.0.2.10", "big", "--cause", "a script").returncode == 0
    assert site.outwarden(*request, "--dry-run").stdout == "big may be asked about 192.0.2.10 now\n"
    assert "next: wait for the list" in site.outwarden(*request).stdout
    assert site.outwarden(*request).returncode == 4
    assert site.outwarden("delisting", "request", "192.0.2.10", "small").returncode == 3
    (task,) = map(json.loads, site.outwarden("--json", "delisting", "list").stdout.splitlines())
    assert (task["target"], task["list"], task["cause"], len(task["requests"])) == ("192.0.2.10", "big", "a script", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_service_in_order(site: Site, number: int) -> None:
    with site.start() as service:
        assert service.stderr is not None
        lines = iter(service.stderr)
        assert any("asked about 192.0.2.10" in line for line in lines)
        second = site.outwarden("run", "--once")
        assert second.returncode == 5
        assert "another outwarden run is at work on it; stop that one first" in second.stderr
        service.send_signal(number)
        assert list(lines)[-1].endswith("Z stopped\n")
        assert service.wait(20) == 0


def test_the_monitor_starts_quickly(site: Site) -> None:
    """Under 150 ms of processor time, and nothing that asks is imported: it is called each minute."""
    assert site.outwarden("run", "--once").returncode == 0
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "outwarden",
        "--config",
        str(site.file),
        "monitor",
        "blocklists",
    ]
    spent = []
    for _ in range(5):
        with subprocess.Popen(
            command, env=site.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as monitor:
            assert monitor.stderr is not None
            imported = {line.rpartition("|")[2].strip() for line in monitor.stderr}
            _, status, usage = os.wait4(monitor.pid, 0)
            monitor.returncode = os.waitstatus_to_exitcode(status)
        assert monitor.returncode == 0
        spent.append(usage.ru_utime + usage.ru_stime)
    assert imported.isdisjoint(
        {"outwarden.dns.lookup", "outwarden.dns.catalogue", "outwarden.detection.diagnosis", "socket"}
    )
    assert min(spent) < 0.15


def test_quiet_says_nothing(site: Site) -> None:
    assert site.outwarden("run", "--once").returncode == 0
    assert site.outwarden("run", "--once", "--quiet").stderr == ""


def test_a_store_that_cannot_be_made_is_code_5(site: Site) -> None:
    site.file.write_text(site.file.read_text().replace(str(site.store), f"{site.file}/store.db"))
    answer = site.outwarden("run", "--once")
    assert answer.returncode == 5
    assert answer.stderr == f"outwarden: {site.file}/store.db: {site.file} is no folder; name another file\n"


def test_a_resolver_at_fault_is_named_once_by_the_service_and_by_the_monitor(site: Site) -> None:
    everything = zone({}, says("198.51.100.7"))
    site.server.zones.update(dict.fromkeys(("com", "net", "org", "de", "uk", "lists.example"), everything))
    for name in ("big", "small"):
        site.says(name, everything)
    asked = site.outwarden("monitor", "blocklists")
    line = f"resolver 127.0.0.1:{site.server.port} says 198.51.100.7 where no name is ("
    assert asked.returncode == 3
    assert asked.stdout.startswith(f"OUTWARDEN BLOCKLISTS UNKNOWN - {line}")
    assert "; run a resolver of your own, and name it with dns.resolver | " in asked.stdout
    ran = site.outwarden("run", "--once")
    assert ran.returncode == 0
    assert sum(line in said for said in ran.stderr.splitlines()) == 1
    assert "listed 0, not listed 0, could not ask 2" in ran.stderr
