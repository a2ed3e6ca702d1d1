"""The public DKIM messages beside the project: Mail::DKIM's corpus, and dkimpy's of RFC 6376 and RFC 8463."""

import json
from pathlib import Path

import pytest

from outwarden.authentication.answers import Answer, RecordType
from outwarden.authentication.dkim import OLD_MAIL, TODAY, DkimResult, DkimRules, verify_dkim
from outwarden.authentication.dkim_canonical import read_message

DNS = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "dns"
MAIL_DKIM = DNS / "dkim-mail-dkim"
DKIMPY = DNS / "dkim-dkimpy" / "data"
pytestmark = pytest.mark.skipif(not DNS.exists(), reason="the shared DNS corpora are not beside the project")

# Their verdict hangs on "g=", which RFC 6376 removed.
GRANULARITY = {"badkey_8.txt", "badkey_9.txt", "badkey_12.txt", "badkey_13.txt"}
AFTER_THE_EXPIRY_OF_ONE = 1_200_000_000  # 2008, when the others that expire had not.


def corpus() -> list[tuple[str, str]]:
    if not MAIL_DKIM.exists():
        return []
    cases = json.loads((MAIL_DKIM / "expected.json").read_text(encoding="utf-8"))
    named = [(Path(case["file"]).name, case["expected"]) for case in cases if case["scope"] == "rfc6376"]
    return [(name, expected) for name, expected in named if name not in GRANULARITY]


class Keys:
    """The keys of a file of names and records."""

    def __init__(self, lines: list[str]) -> None:
        pairs = (line.partition(" ") for line in lines if line.strip() and not line.startswith("#"))
        self._records = {name.lower(): text.strip() for name, _, text in pairs}

    def ask(self, name: str, kind: RecordType) -> Answer:
        text = self._records.get(name.lower(), "NXDOMAIN")
        if text.startswith("~~"):
            return Answer(failure=text.strip("~"))
        return Answer(exists=False) if text == "NXDOMAIN" else Answer((text.strip('"'),))


def best(message: bytes, keys: Keys, rules: DkimRules, at: int = AFTER_THE_EXPIRY_OF_ONE) -> str:
    """The verdict on a message: that of its best signature."""
    results = {verdict.result for verdict in verify_dkim(read_message(message), keys, at, rules)}
    # Mail::DKIM calls a key that could not be asked for invalid, too.
    return next((result for result in (DkimResult.PASS, DkimResult.FAIL) if result in results), "invalid")


@pytest.mark.parametrize(("name", "expected"), corpus(), ids=[name for name, _ in corpus()])
def test_mail_dkim(name: str, expected: str) -> None:
    keys = Keys((MAIL_DKIM / "FAKE_DNS.dat").read_text(encoding="utf-8").splitlines())
    assert best((MAIL_DKIM / "corpus" / name).read_bytes(), keys, OLD_MAIL) == expected


def test_the_corpus_is_whole() -> None:
    assert len(corpus()) == 44


def test_receivers_of_today_believe_neither_sha1_nor_a_short_key() -> None:
    keys = Keys((MAIL_DKIM / "FAKE_DNS.dat").read_text(encoding="utf-8").splitlines())
    for name in ("goodkey_1.txt", "good_rfc4871_3.txt"):
        message = (MAIL_DKIM / "corpus" / name).read_bytes()
        assert best(message, keys, OLD_MAIL) == "pass"
        assert best(message, keys, TODAY) == "invalid"


# RFC 8463 appendix A: the keys beside its example.
RFC_8463 = [
    "brisbane._domainkey.football.example.com v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
]


def test_the_example_of_rfc_8463() -> None:
    assert best((DKIMPY / "rfc6376.signed.msg").read_bytes(), Keys(RFC_8463), TODAY) == "pass"


def test_the_same_message_signed_with_rsa() -> None:
    key = " ".join((DKIMPY / "test.txt").read_text(encoding="utf-8").split())
    message = (DKIMPY / "rfc6376.signed.rsa.msg").read_bytes()
    assert best(message, Keys([f"test._domainkey.football.example.com {key}"]), TODAY) == "pass"


def test_the_example_of_rfc_8463_changed() -> None:
    message = (DKIMPY / "rfc6376.signed.msg").read_bytes().replace(b"hungry", b"sated")
    assert best(message, Keys(RFC_8463), TODAY) == "fail"
