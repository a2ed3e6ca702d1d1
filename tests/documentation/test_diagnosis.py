"""The page about the diagnosis shows the rules as they are."""

import re
from pathlib import Path

from outwarden.detection.diagnosis.rulebook import Rule, rulebook

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "diagnosis.md").read_text(encoding="utf-8")


def classes(rule: Rule) -> str:
    """What a rule asks for, in a few words."""
    parts = [" + ".join(sorted(rule.all))] if rule.all else []
    parts += [" or ".join(sorted(group)) for group in rule.any_of]
    if "*" in rule.without:
        parts.append("none")
    elif rule.without:
        parts.append("without " + ", ".join(sorted(rule.without)))
    return "; ".join(parts)


def row(place: int, rule: Rule) -> str:
    ours = {True: "yes", False: "no", None: "not said"}[rule.ours]
    conditions = ", ".join(f"*{name}*" for name in rule.conditions) or "-"
    first = rule.next_steps[0].replace("|", r"\|") if rule.next_steps else "-"
    cells = (
        place,
        f"`{rule.name}`",
        classes(rule),
        conditions,
        rule.cause,
        ours,
        rule.severity,
        rule.pause or "-",
        first,
    )
    return f"| {' | '.join(map(str, cells))} |"


def test_the_table_is_that_of_the_rules() -> None:
    shown = re.findall(r"^\| \d+ \| .*$", PAGE, flags=re.MULTILINE)
    assert shown == [row(place, rule) for place, rule in enumerate(rulebook().rules, start=1)]


def test_each_condition_is_explained() -> None:
    shown = dict(re.findall(r"^\| \*([a-z0-9-]+)\* \| (.*) \|$", PAGE, flags=re.MULTILINE))
    assert shown == rulebook().conditions
