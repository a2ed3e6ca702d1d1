"""The catalogue that is shipped, what a site makes of it, and how mistakes in one are told."""

import re
from pathlib import Path

import pytest

from outwarden.dns.blocklist import Tier, UnusableCatalogue, read_catalogue
from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.events import Signal

SECRET = "s3cr3tkeyofthissite"


def asked(catalogue: Catalogue) -> set[str]:
    return {each.id for each in catalogue.asked}


def test_no_dead_zone_is_asked_nor_one_below_it() -> None:
    catalogue = load_catalogue()
    zones = [each.zone for each in catalogue.lists.values()]
    assert [zone for zone in zones for dead in catalogue.dead if zone == dead or zone.endswith("." + dead)] == []


def test_no_zone_is_in_it_twice() -> None:
    zones = [each.zone for each in load_catalogue().lists.values()]
    assert sorted(zones) == sorted(set(zones))


def test_nothing_inside_another_is_asked_beside_it() -> None:
    catalogue = load_catalogue(keys={"spamhaus": SECRET, "abusix": SECRET})
    names = asked(catalogue)
    inner = {name for name in names if names & set(catalogue.lists[name].inside_of)}
    assert inner == set()


def test_every_listing_of_a_major_list_votes_or_says_why_not() -> None:
    votes = {
        signal
        for each in load_catalogue().lists.values()
        if each.tier is Tier.MAJOR
        for code in each.codes.values()
        if (signal := code.votes)
    }
    assert votes >= set(Signal) - {Signal.NEIGHBOURHOOD, Signal.BACKSCATTER}


def test_of_two_doors_the_one_with_a_key_is_taken_where_there_is_one() -> None:
    assert {"spamhaus-zen", "spamhaus-dbl"} <= asked(load_catalogue())
    assert {"spamhaus-zen-dqs", "spamhaus-dbl-dqs"}.isdisjoint(asked(load_catalogue()))
    keyed = asked(load_catalogue(keys={"spamhaus": SECRET}))
    assert {"spamhaus-zen-dqs", "spamhaus-dbl-dqs"} <= keyed
    assert {"spamhaus-zen", "spamhaus-dbl"}.isdisjoint(keyed)


def test_a_site_adds_weighs_and_silences() -> None:
    mine = {"zone": "mine.example", "operator": "us", "meaning": "ours", "asks": ["ipv4"], "tier": "minor"}
    catalogue = load_catalogue(
        added={"mine": {**mine, "life": {"state": "alive", "source": "us"}}},
        weights={"psbl": "major", "spamcop": "silent"},
        silenced=["barracuda"],
    )
    assert "mine" in asked(catalogue)
    assert "barracuda" not in asked(catalogue)
    assert catalogue.lists["psbl"].tier is Tier.MAJOR
    assert catalogue.lists["spamcop"].tier is Tier.SILENT


def test_lists_may_be_chosen_by_name_and_a_dead_one_is_answered_for() -> None:
    catalogue = load_catalogue().chosen(["wpbl", "spamhaus-zen", "dnsbl.sorbs.net", "wpbl"])
    assert [each.id for each in catalogue.asked] == ["wpbl", "spamhaus-zen"]
    assert [zone for zone, _ in catalogue.asked_dead] == ["dnsbl.sorbs.net"]


def test_no_key_is_shown() -> None:
    catalogue = load_catalogue(keys={"spamhaus": SECRET})
    assert SECRET not in repr(catalogue) + repr(catalogue.asked)
    assert catalogue.key(catalogue.lists["spamhaus-zen-dqs"]) == SECRET


SETTINGS = [
    ("a list that is not known is silenced", {"silenced": ["spamhaus-zem"]}, "silenced", "did you mean spamhaus-zen?"),
    ("a weight that is none", {"weights": {"psbl": "huge"}}, "psbl", "major, minor, hobby, silent"),
    ("a key nobody needs", {"keys": {"spamhause": SECRET}}, "spamhause", "known are abusix"),
    ("a key with a dot", {"keys": {"spamhaus": SECRET + ".x"}}, "spamhaus", "letters, digits and hyphens"),
    ("an added list without zone", {"added": {"mine": {"operator": "us"}}}, "list mine", "missing; add it"),
    ("an added list that is a word", {"added": {"mine": "mine.example"}}, "list mine", "expected a table"),
]


@pytest.mark.parametrize(("settings", "where", "cure"), [c[1:] for c in SETTINGS], ids=[c[0] for c in SETTINGS])
def test_mistakes_of_a_site_are_told(settings: dict[str, object], where: str, cure: str) -> None:
    with pytest.raises(UnusableCatalogue) as error:
        load_catalogue(**settings)  # type: ignore[arg-type]
    told = str(error.value)
    assert where in told and cure in told and "\n" not in told and SECRET not in told


GOOD = """
[a-list]
zone = "a.example"
operator = "us"
meaning = "ours"
asks = ["ipv4"]
tier = "minor"
life = { state = "alive", source = "us" }
[a-list.codes]
"127.0.0.2" = { means = "listed", votes = "reputation" }
"""

MISTAKES = [
    ("not TOML", GOOD + "]", "not TOML"),
    ("a misspelt field", GOOD.replace("meaning", "meanings"), "field meanings: not known; did you mean meaning?"),
    ("a field missing", GOOD.replace('operator = "us"\n', ""), "field operator: missing; add it"),
    ("a form that is none", GOOD.replace('"ipv4"', '"ipv5"'), "field asks"),
    ("no form", GOOD.replace('["ipv4"]', "[]"), "field asks: empty"),
    ("a tier that is none", GOOD.replace("minor", "enormous"), "field tier"),
    ("a signal that is none", GOOD.replace("reputation", "bad"), "field codes"),
    ("a misspelt field of a code", GOOD.replace("votes", "vote"), "vote: not known"),
    ("a code that is none", GOOD.replace("127.0.0.2", "127.0.2"), "write 127.0.0.2"),
    ("an octet too large", GOOD.replace("127.0.0.2", "127.0.0.256"), "write 127.0.0.2"),
    ("a bit that is none", GOOD.replace("127.0.0.2", "bit 3"), "or bit 4"),
    ("a zone with a final dot", GOOD.replace("a.example", "a.example."), "field zone"),
    ("a zone in capitals", GOOD.replace("a.example", "A.example"), "field zone"),
    ("a key without its place", GOOD.replace("tier", 'key = "us"\ntier'), "field key"),
    ("a place without its key", GOOD.replace("a.example", "<key>.a.example"), "field key"),
    ("a pace of nothing", GOOD.replace("tier", "queries_per_second = 0\ntier"), "field queries_per_second"),
    ("inside of what is not there", GOOD.replace("tier", 'inside_of = ["b"]\ntier'), "field inside_of: there is no"),
    ("the same as itself", GOOD.replace("tier", 'same_as = "a-list"\ntier'), "field same_as"),
    ("a list in the ground", GOOD.replace('"alive"', '"dead"'), "lines in [dead]"),
    ("dead without a word", GOOD + "[dead]\n'x.example' = 1\n", "[dead]"),
    ("a list that is no table", "a-list = 1\n", "expected a table [a-list]"),
]


@pytest.mark.parametrize(("text", "told"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_mistakes_in_a_catalogue_name_file_list_field_and_cure(text: str, told: str) -> None:
    with pytest.raises(UnusableCatalogue) as error:
        read_catalogue(text, "mine.toml")
    assert told in str(error.value)
    assert str(error.value).startswith("mine.toml")
    assert "\n" not in str(error.value)


def test_a_mistake_is_told_with_its_line() -> None:
    with pytest.raises(UnusableCatalogue, match=re.escape("mine.toml:2: list a-list: field tier")):
        read_catalogue(GOOD.replace("minor", "enormous"), "mine.toml")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableCatalogue, match="No such file"):
        load_catalogue(tmp_path / "none.toml")


def test_a_file_instead_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert asked(load_catalogue(path)) == {"a-list"}
