"""Settings: what wins over what, and where a value came from.  Mistakes are in tests/bad_configuration."""

from pathlib import Path

import pytest

from outwarden.service.settings import Configuration, ConfigurationError, Settings, fields, load


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_toml", ".toml")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "outwarden.toml"


def test_works_with_none() -> None:
    assert load(None, {}).settings == Settings()


def test_later_wins(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        outwarden_toml='[site]\naddresses = ["192.0.2.1"]\ndomains = ["a.example"]\n[dns]\nresolver = "127.0.0.1"\n',
        conf_d__10_toml='[site]\naddresses = ["192.0.2.2"]\n',
        conf_d__20_toml="[blocklists]\nevery_minutes = 30\n",
    )
    (tmp_path / "conf_d").rename(tmp_path / "conf.d")
    found = load(file, {"OUTWARDEN__BLOCKLISTS__EVERY_MINUTES": "15", "OUTWARDEN__SITE__DOMAINS": '["b.example"]'})
    settings = found.settings
    assert settings.site.addresses == ("192.0.2.2",)
    assert settings.site.domains == ("b.example",)
    assert settings.blocklists.every_minutes == 15
    assert settings.dns.resolver == "127.0.0.1"
    assert found.place("site.addresses") == f"{tmp_path}/conf.d/10.toml:2"
    assert found.place("blocklists.every_minutes") == "OUTWARDEN__BLOCKLISTS__EVERY_MINUTES"
    assert found.place("dns.resolver") == f"{file}:5"
    assert found.place("dns.deadline_seconds") is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("DNS__RESOLVER", "127.0.0.1", "127.0.0.1"),
        ("DNS__RESOLVER", "5353", "5353"),
        ("DNS__DEADLINE_SECONDS", "1", 1.0),
        ("DNS__DEADLINE_SECONDS", "0.5", 0.5),
        ("BLOCKLISTS__LISTS", '["spamcop"]', ("spamcop",)),
        ("BLOCKLISTS__WEIGHTS", '{ spamcop = "major" }', {"spamcop": "major"}),
    ],
)
def test_a_variable_is_text_or_toml(name: str, text: str, expected: object) -> None:
    settings = load(None, {f"OUTWARDEN__{name}": text}).settings
    section, _, key = name.lower().partition("__")
    assert getattr(getattr(settings, section), key) == expected


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "abusix").write_text("  s3cret\n")
    (tmp_path / "credential").write_text("other")
    found = load(None, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    named = {"abusix_file": str(tmp_path / "abusix"), "spamhaus_file": "credential"}
    assert found.secrets("blocklists.keys", named) == {"abusix": "s3cret", "spamhaus": "other"}


def test_what_stands_in_place_of_a_key_is_not_told() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(None, {"OUTWARDEN__BLOCKLISTS__KEYS": "tops3cret"})
    assert "tops3cret" not in str(refused.value)
    with pytest.raises(ConfigurationError) as refused:
        Configuration(Settings(), [], None).secrets("blocklists.keys", {"spamhaus": "tops3cret"})
    assert "tops3cret" not in str(refused.value)


def test_every_field_has_a_default() -> None:
    assert {section for section, _, _ in fields()} == {
        "site",
        "store",
        "dns",
        "blocklists",
        "alarms",
        "takedown",
        "mail_server",
        "logs",
        "judging",
        "gate",
        "acting",
        "containment",
        "subscribers",
        "cases",
        "notices",
        "mark",
        "control",
    }
