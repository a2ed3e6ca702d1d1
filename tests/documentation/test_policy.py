"""The page of the policy has every key with its default, and where the shipped policies differ."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from outwarden.detection.limits import LimitSettings
from outwarden.detection.live import SHIPPED_POLICIES, Policy, read_policy, shipped_policy
from outwarden.detection.live.policy import BulkAccount

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def settings(policy: Policy) -> dict[str, dict[str, Any]]:
    """The values by section; what stands in none is at the top."""
    values: dict[str, Any] = msgspec.to_builtins(policy)
    sections = {"At the top": {"hold_as": values.pop("hold_as")}, **values}
    # All tables of limits have the same keys, some not the last.
    limits = msgspec.to_builtins(policy.limits.account)
    return sections | {"bulk": msgspec.to_builtins(BulkAccount()), "limits": limits}


def rows(section: str) -> dict[str, Any]:
    """The keys of a section's table with their defaults."""
    found = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| [^|]* \| [^|]+ \|$", SECTIONS[section], re.MULTILINE)
    return {key: tomllib.loads(f"value = {value}")["value"] for key, value in found}


def test_every_key_has_its_row_and_nothing_else_has() -> None:
    shown = {section: rows(section) for section in SECTIONS if section != "The four that are shipped"}
    assert shown == settings(Policy())
    assert [list(keys) for keys in shown.values()] == [list(keys) for keys in settings(Policy()).values()]


def test_every_table_of_limits_is_named() -> None:
    shown = re.findall(r"^\| `limits\.(\w+)` \|", SECTIONS["limits"], re.MULTILINE)
    assert shown == [field.name for field in msgspec.structs.fields(LimitSettings)]


def test_no_shipped_policy_has_limits() -> None:
    assert all(shipped_policy(name).limits == LimitSettings() for name in SHIPPED_POLICIES)


def test_the_shipped_policies_differ_as_shown() -> None:
    table = SECTIONS["The four that are shipped"]
    assert re.findall(r"`(\w+)`", table.partition("| key |")[2].partition("\n")[0]) == list(SHIPPED_POLICIES)
    shipped = [settings(shipped_policy(name)) for name in SHIPPED_POLICIES]
    differences = [
        (f"{section}.{key}", *(str(policy[section][key]) for policy in shipped))
        for section, keys in shipped[0].items()
        for key in keys
        if any(policy[section][key] != shipped[0][section][key] for policy in shipped)
    ]
    assert re.findall(r"^\| `([\w.]+)` \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", table, re.MULTILINE) == differences
    assert re.findall(r"^- `(\w+)`:", table, re.MULTILINE) == list(SHIPPED_POLICIES)


def test_the_university_is_the_default() -> None:
    assert shipped_policy("university") == Policy()


def test_the_example_can_be_read() -> None:
    example, limits = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert read_policy(example).bulk["newsletter@isp.example"].link_domains == {"isp.example"}
    assert read_policy(limits).limits.account.recipients.hour == 500
