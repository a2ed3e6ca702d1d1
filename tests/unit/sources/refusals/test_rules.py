"""The rules are data that a reader can check: here they are checked."""

import re
from collections import Counter

import pytest

from outwarden.sources.refusals import classify
from outwarden.sources.refusals.classify import deciding_rule
from outwarden.sources.refusals.glossary import plain_words
from outwarden.sources.refusals.rulebook import Rule, read_table, rulebook

RULES = rulebook().rules
STAGES = ["fault", "code", "words", "gist", "status"]


def names(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.name for rule in rules]


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_a_rule_is_the_one_that_judges_its_own_sample(rule: Rule) -> None:
    decided = deciding_rule(rule.sample)
    assert decided is not None
    assert decided.name == rule.name


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_a_rule_says_where_its_sample_is_published(rule: Rule) -> None:
    assert len(rule.source) > 5
    assert len(rule.sample) > 8


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_every_expression_compiles_and_needs_its_words(rule: Rule) -> None:
    if rule.expressions:
        assert rule.words, "an expression is tried only where one of the rule's words stands"
    for expression in rule.expressions:
        compiled = expression.compiled().pattern
        # What begins with a word is tried only where that word stands, so no other may do in its place.
        assert "|" not in _without_brackets(compiled), f"write two patterns: {compiled}"


def _without_brackets(pattern: str) -> str:
    """Return what stands in no group and no set of a pattern."""
    pattern = re.sub(r"\\.|\[[^\]]*\]", "", pattern)
    while (outer := re.sub(r"\([^()]*\)", "", pattern)) != pattern:
        pattern = outer
    return pattern


def test_no_name_and_no_sample_occurs_twice() -> None:
    assert [name for name, count in Counter(names(RULES)).items() if count > 1] == []
    assert [text for text, count in Counter(rule.sample for rule in RULES).items() if count > 1] == []


def test_rules_of_one_stage_stand_together() -> None:
    stages = [STAGES.index(rule.stage) for rule in RULES]
    assert stages == sorted(stages)


def test_tells_are_lower_case_and_can_occur_in_a_masked_reply() -> None:
    # Digits and hexadecimal runs of ten and more are masked as ids, so a tell must not look like one.
    tells = [tell for rule in RULES for tell in rule.tells]
    assert [tell for tell in tells if tell != tell.lower() or re.fullmatch(r"[0-9a-f]{10,}", tell)] == []


def test_rules_speak_the_glossarys_language() -> None:
    """A word that the glossary turns into another can never stand in the plain words of a reply."""
    spoken = [
        word
        for rule in RULES
        for word in (*rule.words, *(word for entry in (*rule.about, *rule.says) for word in entry))
    ]
    assert {word: plain_words(word) for word in spoken if plain_words(word) != word} == {}


@pytest.mark.parametrize("rule", RULES, ids=names(RULES))
def test_a_gist_is_of_somebody_and_says_something(rule: Rule) -> None:
    assert bool(rule.about) == bool(rule.says) == (rule.stage == "gist")


def test_no_form_of_the_glossary_is_itself_a_meaning() -> None:
    table = read_table("glossary.toml")
    meanings = {word for language in table.values() for meaning in language for word in meaning.split()}
    del table["unspaced"]
    forms = {form for language in table.values() for value in language.values() for form in value.split()}
    assert {form for form in forms & meanings if plain_words(form) != form} == set()


def test_no_list_and_no_service_shares_a_host_with_another() -> None:
    for file, key in (("lists.toml", "zones"), ("providers.toml", "hosts")):
        hosts = Counter(host for entry in read_table(file).values() for host in entry[key].split())
        assert [host for host, count in hosts.items() if count > 1] == [], file


def test_every_list_is_known_by_its_zone() -> None:
    for list_id, entry in read_table("lists.toml").items():
        for zone in entry["zones"].split():
            refusal = classify(f"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using {zone}")
            assert refusal.list == list_id, zone
