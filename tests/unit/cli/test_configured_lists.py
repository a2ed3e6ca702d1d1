"""What a person asks once honours the configuration: keys, weights, lists added and silenced, the resolver."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.dns.lying_lists import zone
from tests.unit.service.watched_lists import CLEAN, HERE, LISTED, TEST, US, Site, watched_site

from outwarden.cli.main import root

KEY = "n0tt0beshown"
_MORE = """
[blocklists.{setting}]
{lines}
"""
_KEYED = """
[keyed]
operator = "Invented"
zone = "<key>.keyed.lists.example"
key = "spamhaus"
meaning = "a list"
asks = ["ipv4"]
tier = "major"
life = { state = "alive", source = "invented" }
[keyed.codes]
"127.0.0.2" = { means = "keyed source", votes = "spam-source" }
"""
_ADDED = """
[blocklists.added.mine]
operator = "Ours"
zone = "mine.lists.example"
meaning = "our own list"
asks = ["ipv4"]
tier = "minor"
life = { state = "alive", source = "us" }
codes = { "127.0.0.2" = { means = "in our own list", votes = "reputation" } }
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with watched_site(tmp_path, big=LISTED, mine=LISTED, **{f"{KEY}.keyed": LISTED}) as made:
        yield made


def add(site: Site, text: str) -> None:
    site.file.write_text(site.file.read_text() + text)


def run(site: Site, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--config", str(site.file), *arguments])


def results(site: Site, *arguments: str) -> dict[str, dict[str, Any]]:
    answer = run(site, "--json", "blocklists", "192.0.2.10", *arguments)
    assert answer.exit_code == 0, answer.output
    return {each["list"]: each for each in json.loads(answer.stdout)["results"]}


def test_the_configured_catalogue_and_resolver_are_asked(site: Site) -> None:
    assert {name: each["answer"] for name, each in results(site).items()} == {"big": "listed", "small": "not-listed"}


def test_a_list_is_added_and_one_is_silenced(site: Site) -> None:
    site.file.write_text(site.file.read_text().replace("[blocklists]\n", '[blocklists]\nsilenced = ["small"]\n'))
    add(site, _ADDED)
    assert {name: each["answer"] for name, each in results(site).items()} == {"big": "listed", "mine": "listed"}
    wanted = run(site, "blocklists", "192.0.2.10", "--lists", "small")
    assert wanted.exit_code == 2
    assert "outwarden.toml:9: small is silenced; take it out of blocklists.silenced to ask it" in wanted.stderr


def test_a_weight_counts(site: Site) -> None:
    add(site, _MORE.format(setting="weights", lines='big = "minor"'))
    answer = json.loads(run(site, "--json", "blocklists", "192.0.2.10").stdout)
    assert answer["diagnosis"]["coverage"] == 0.0, "no major list is left"


def test_the_lists_chosen_are_asked_and_the_command_line_wins(site: Site) -> None:
    site.file.write_text(site.file.read_text().replace("[blocklists]\n", '[blocklists]\nlists = ["big"]\n'))
    assert set(results(site)) == {"big"}
    assert set(results(site, "--lists", "small,big")) == {"big", "small"}


def keyed(site: Site, folder: Path, key: str = KEY) -> None:
    (folder / "key").write_text(f"{key}\n")
    lists = folder / "lists.toml"
    lists.write_text(lists.read_text() + _KEYED)
    add(site, _MORE.format(setting="keys", lines=f'spamhaus_file = "{folder}/key"'))


@pytest.mark.parametrize("how", [("--json",), ("-v",), ("-q",), ("-v", "--html", "answer.html")])
def test_a_key_is_used_and_never_shown(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    keyed(site, tmp_path)
    answer = run(site, "blocklists", "192.0.2.10", "--lists", "keyed", *how)
    assert answer.exit_code == 0
    assert any(f"{KEY}.keyed" in name for name, _ in site.server.asked), "it was asked with the key"
    assert KEY not in answer.output
    assert KEY not in (tmp_path / "answer.html").read_text() if "--html" in how else True


def test_another_catalogue_gets_the_keys_that_it_has_a_use_for(site: Site, tmp_path: Path) -> None:
    keyed(site, tmp_path)
    alone = tmp_path / "alone.toml"
    alone.write_text(_KEYED)
    assert {each["answer"] for each in results(site, "--catalogue", str(alone)).values()} == {"listed"}
    alone.write_text((tmp_path / "lists.toml").read_text().replace(_KEYED, ""))
    assert set(results(site, "--catalogue", str(alone))) == {"big", "small"}


def test_a_key_that_cannot_be_one_is_not_repeated(site: Site, tmp_path: Path) -> None:
    keyed(site, tmp_path, "no key: " + KEY)
    answer = run(site, "blocklists", "192.0.2.10")
    assert (answer.exit_code, answer.stdout, answer.stderr.count("\n")) == (78, "", 1)
    assert KEY not in answer.stderr


@pytest.fixture
def log(tmp_path: Path) -> str:
    file = tmp_path / "mail.log"
    file.write_text(
        "2026-04-07T01:44:36+00:00 mx postfix/submission/smtpd[1]: 6AE6718F023: client=h.example[192.0.2.7], "
        "sasl_method=PLAIN, sasl_username=tim@isp.example\n"
    )
    return str(file)


def test_check_asks_the_configured_lists(site: Site, log: str) -> None:
    answer = run(site, "--json", "check", log, "--address", "192.0.2.10")
    (listings,) = json.loads(answer.stdout)["blocklists"]
    assert [each["list"] for each in listings["results"] if each["answer"] == "listed"] == ["big"]


@pytest.mark.parametrize(
    ("arguments", "targets"),
    [
        ((), []),
        (("--ask-blocklists",), ["192.0.2.10", "isp.example"]),
        (("--ask-blocklists", "--address", "192.0.2.11"), ["192.0.2.11", "192.0.2.10", "isp.example"]),
        (("--address", "192.0.2.11"), ["192.0.2.11"]),
    ],
)
def test_check_asks_about_what_is_configured_only_when_told_to(
    site: Site, log: str, arguments: tuple[str, ...], targets: list[str]
) -> None:
    site.file.write_text(site.file.read_text().replace("[store]", 'domains = ["isp.example"]\n[store]'))
    answer = json.loads(run(site, "--json", "check", log, *arguments).stdout)
    assert [each["target"] for each in answer["blocklists"]] == targets
    assert bool(site.server.asked) == bool(targets)


def test_of_a_configured_network_what_is_clean_is_only_counted(site: Site, log: str) -> None:
    site.file.write_text(site.file.read_text().replace("192.0.2.10", "192.0.2.0/27"))
    answer = json.loads(run(site, "--json", "check", log, "--ask-blocklists").stdout)
    assert len(answer["blocklists"]) == 32
    texts = [each["text"] for each in answer["because"] if each["rule"] == "blocklists"]
    assert [text.partition(":")[0] for text in texts] == ["192.0.2.10", "31 of 32 addresses and domains"]


def test_check_with_nothing_configured_to_ask_about_says_so(site: Site, log: str) -> None:
    site.file.write_text("")
    answer = run(site, "check", log, "--ask-blocklists")
    assert (answer.exit_code, answer.stdout) == (78, "")
    assert answer.stderr.startswith(f"outwarden: nothing to ask about: name your addresses in {site.file}, ")


def test_a_site_without_a_store_or_configuration_asks_as_before(site: Site, tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("")
    site.server.zones["big.lists.example"] = CLEAN
    site.server.zones["small.lists.example"] = zone({TEST: HERE, US: HERE})
    arguments = ("--catalogue", str(tmp_path / "lists.toml"), "--resolver", f"127.0.0.1:{site.server.port}")
    answer = CliRunner().invoke(root, ["--config", str(empty), "-q", "blocklists", "192.0.2.10", *arguments])
    assert (answer.exit_code, answer.stderr) == (0, "")
