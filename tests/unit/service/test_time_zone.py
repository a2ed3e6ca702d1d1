"""Zones by name and of the machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.service.time_zone import UnknownZone, local_zone, named_zone

WINTER = datetime(2026, 1, 1)  # noqa: DTZ001 (the zone is what is asked for)


@pytest.mark.parametrize("name", ["UTC", "utc"])
def test_utc_is_utc_itself(name: str) -> None:
    assert named_zone(name) is UTC


def test_a_named_zone() -> None:
    assert named_zone("Europe/Berlin").utcoffset(WINTER) == timedelta(hours=1)


@pytest.mark.parametrize("name", ["Middle/Earth", "../etc/passwd", "/etc/localtime", "", "a\0b"])
def test_what_is_no_zone_is_said(name: str) -> None:
    with pytest.raises(UnknownZone, match="is no time zone; give a name such as UTC or Europe/Berlin"):
        named_zone(name)


def test_the_environment_names_the_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Europe/Berlin")
    assert local_zone().utcoffset(WINTER) == timedelta(hours=1)


def test_the_clock_file_names_it_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    berlin = Path("/usr/share/zoneinfo/Europe/Berlin")
    if not berlin.exists():
        pytest.skip("this machine has no zone files")
    assert local_zone(berlin).utcoffset(WINTER) == timedelta(hours=1)


def test_a_machine_without_a_clock_file_is_at_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert local_zone(tmp_path / "localtime") is UTC


def test_a_broken_clock_file_is_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "localtime").write_bytes(b"TZif broken")
    assert local_zone(tmp_path / "localtime") is UTC
