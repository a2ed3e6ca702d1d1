"""The site's own files: read again when they change; what cannot be used leaves what was read before."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from outwarden.service.live.site_files import SiteFiles
from outwarden.service.settings import Configuration, ConfigurationError, GateSettings, Settings

IN_ITALY = "192.0.2.0/24,AS64500,IT\n"
IN_SPAIN = "192.0.2.0/24,AS64501,ES\n"


@dataclass
class Table:
    path: Path
    written: int = 0

    def write(self, text: str) -> None:
        """As a program does that replaces a file, so that nobody reads half of it."""
        self.written += 1
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        os.utime(new, ns=(self.written, self.written))
        new.rename(self.path)

    def files(self) -> SiteFiles:
        gate = GateSettings(networks_file=str(self.path))
        return SiteFiles(Configuration(Settings(gate=gate), (), None))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "networks.csv")


def country(files: SiteFiles) -> str | None:
    find = files.find_network
    assert find is not None
    return find("192.0.2.7").country


def look(files: SiteFiles) -> list[bool]:
    return [file.look() for file in files._by_name().values()]


def test_without_a_setting_there_is_no_table() -> None:
    files = SiteFiles(Configuration(Settings(), (), None))
    assert (files.find_network, files.faults()) == (None, {})


def test_it_is_read_again_when_it_has_changed(table: Table) -> None:
    table.write(IN_ITALY)
    files = table.files()
    find = files.find_network
    assert look(files) == [False]
    table.write(IN_SPAIN)
    assert country(files) == "IT"
    assert look(files) == [True]
    assert country(files) == "ES"
    # Whoever asked before the change asks the new one.
    assert find is not None
    assert find("192.0.2.7").as_name == "AS64501"


@pytest.mark.parametrize("text", ["192.0.2.0/24,AS64500\n", None], ids=["malformed", "gone"])
def test_what_cannot_be_used_leaves_what_was_read_before(table: Table, text: str | None) -> None:
    table.write(IN_ITALY)
    files = table.files()
    if text is None:
        table.path.unlink()
    else:
        table.write(text)
    # It is said once.
    assert [look(files), look(files)] == [[True], [False]]
    assert country(files) == "IT"
    assert str(table.path) in files.faults()["table of networks"]
    table.write(IN_SPAIN)
    assert look(files) == [True]
    assert (country(files), files.faults()) == ("ES", {"table of networks": ""})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "No such file or directory; name a file that the service can read"),
        ("x\ny\n", "line 1: 1 fields; write network,as,country"),
    ],
)
def test_at_the_start_it_is_a_mistake(table: Table, text: str | None, expected: str) -> None:
    if text is not None:
        table.write(text)
    with pytest.raises(ConfigurationError) as fault:
        table.files()
    assert str(fault.value) == f"gate.networks_file: {table.path}: {expected}"
