"""What the service found before: shown by ``blocklists --history``, and joined to what a person asks now."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.service.watched_lists import LISTED, Site, watched_site

from outwarden.cli.main import root
from outwarden.events import ListAnswer, ListAnswerKind
from outwarden.store.store import Store

US = "192.0.2.10"
HOUR = timedelta(hours=1)
TRAPS = ("trap1", "trap2", "trap3")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with watched_site(tmp_path, big=LISTED, **dict.fromkeys(TRAPS, LISTED)) as made:
        yield made


def run(site: Site, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--config", str(site.file), *arguments])


def remember(site: Site, *answers: tuple[str, str, str, float]) -> None:
    """Write answers into the store: target, list, answer, how many hours ago."""
    now = datetime.now(UTC)
    with Store(site.store) as store, store.writing():
        for target, name, kind, ago in answers:
            answer = ListAnswer(target, name, f"{name}.example", ListAnswerKind(kind), ("127.0.0.2",), "spam source")
            store.listings.take(answer, now - ago * HOUR)


def diagnosis(site: Site, *arguments: str) -> dict[str, Any]:
    answer = run(site, "--json", "blocklists", US, *arguments)
    assert answer.exit_code == 0, answer.output
    found: dict[str, Any] = json.loads(answer.stdout)["diagnosis"]
    return found


def test_one_line_for_each_listing_oldest_first(site: Site) -> None:
    remember(site, (US, "big", "listed", 9), ("isp.example", "names", "listed", 8), (US, "big", "not-listed", 4))
    head, first, second = run(site, "blocklists", "--history").stdout.splitlines()
    assert head.split() == ["target", "list", "since", "until", "for", "returns", "said", "last"]
    assert first.startswith("192.0.2.10   big    ")
    assert "  5 h 0 min  " in first
    assert first.endswith("127.0.0.2 spam source")
    assert "  still listed  " in second


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([], [US, "isp.example"]),
        ([US], [US]),
        (["192.0.2.0/24"], [US]),
        (["ISP.Example."], ["isp.example"]),
        (["192.0.2.11"], []),
    ],
)
def test_of_the_targets_named(site: Site, targets: list[str], expected: list[str]) -> None:
    remember(site, (US, "big", "listed", 9), ("isp.example", "names", "listed", 8))
    lines = run(site, "--json", "blocklists", "--history", *targets).stdout.splitlines()
    assert [json.loads(line)["target"] for line in lines] == expected
    assert not site.server.asked


def test_the_document(site: Site) -> None:
    remember(site, (US, "big", "listed", 9), (US, "big", "not-listed", 4))
    document = json.loads(run(site, "--json", "blocklists", "--history", US).stdout)
    assert {key: document[key] for key in ("target", "list", "returns", "codes", "meaning", "text", "delisting")} == {
        "target": US, "list": "big", "returns": 0, "codes": ["127.0.0.2"], "meaning": "spam source",
        "text": None, "delisting": None,
    }  # fmt: skip
    assert document["since"] == document["last_seen"] < document["ended"]


def test_nothing_found_so_far_is_said(site: Site) -> None:
    Store(site.store).close()
    assert run(site, "blocklists", "--history").stdout == "the service found no listing of anything so far\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 5, "there is no store yet; start outwarden run"),
        (("--lists", "big"), 2, "--history asks nobody and reads no log"),
        (("192.0.2.300",), 2, "no address"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(site: Site, arguments: tuple[str, ...], code: int, says: str) -> None:
    answer = run(site, "blocklists", "--history", *arguments)
    assert (answer.exit_code, answer.stdout, answer.stderr.count("\n")) == (code, "", 1)
    assert says in answer.stderr


def test_listed_again_within_two_days_is_said_when_asked_once(site: Site) -> None:
    assert "of its delisting" not in str(diagnosis(site))
    remember(site, (US, "big", "listed", 40), (US, "big", "not-listed", 10))
    assert "big has 192.0.2.10 again within 10 h of its delisting" in str(diagnosis(site))
    remember(site, (US, "big", "listed", 1))
    assert "big has 192.0.2.10 again within 9 h of its delisting" in str(diagnosis(site))


def test_trap_lists_at_once_are_told_from_trap_lists_over_months(site: Site, tmp_path: Path) -> None:
    lists = tmp_path / "lists.toml"
    table = lists.read_text().partition("[small]")[0]
    traps = [
        table.replace("big", name).replace("major", "minor").replace('"spam-source"', '"reputation"') for name in TRAPS
    ]
    lists.write_text("".join(traps))
    assert "trap-lists" not in diagnosis(site)["rules"]
    remember(site, *((US, name, "listed", 5.0) for name in TRAPS))
    assert "trap-lists" in diagnosis(site)["rules"]


def test_a_store_that_cannot_be_read_is_said_and_stops_nothing(site: Site) -> None:
    site.store.write_text("no store, but long enough to be taken for one" * 30)
    answer = run(site, "-q", "blocklists", US)
    assert answer.exit_code == 0
    assert answer.stderr.startswith(f"outwarden: what was listed before is not known: {site.store}: ")
