"""Settings that are others than at the last start leave a row each, without what they say."""

from __future__ import annotations

from pathlib import Path

from tests.unit.service.automatic.deeds import NOW

from outwarden.service.desk.settings_log import record_settings
from outwarden.service.settings import load
from outwarden.store.store import Store


def test_each_file_that_changed_leaves_a_row_once(tmp_path: Path) -> None:
    people, file = tmp_path / "people.csv", tmp_path / "ow.toml"
    people.write_text("id,accounts\nrosa,rosa@isp.example\n")
    file.write_text(f"[subscribers]\nfile = '{people}'\n")
    with Store(tmp_path / "outwarden.db") as store:
        assert record_settings(store, load(file, {}), NOW) == 2
        assert record_settings(store, load(file, {}), NOW) == 0
        people.write_text("id,accounts\nrosa,jan@isp.example\n")
        assert record_settings(store, load(file, {}), NOW) == 1
        file.write_text(f"[subscribers]\nfile = '{people}'\n[cases]\nmode = 'act'\n")
        assert record_settings(store, load(file, {}), NOW) == 1
        assert [row.object for row in store.audit.entries()] == [
            "configuration", "subscribers.file", "subscribers.file", "configuration",
        ]  # fmt: skip
        assert "rosa" not in str(store.audit.entries())
