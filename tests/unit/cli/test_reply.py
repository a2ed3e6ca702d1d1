"""The verb ``reply``: text in, meaning out."""

import json

import pytest
from click.testing import CliRunner

from outwarden.cli.main import root

UNKNOWN = "550 5.1.1 <a@b.example>: User unknown"
LISTED = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"


def run(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(root, ["reply", *arguments], input=stdin)
    return result.exit_code, result.output


def test_one_text_as_json() -> None:
    code, output = run("--json", LISTED)
    assert code == 0
    assert json.loads(output) == {
        "text": LISTED,
        "class": "address-blocklisted",
        "permanent": True,
        "list": "spamhaus-zen",
        "listed": "192.0.2.7",
        "provider": None,
        "status": "5.7.1",
    }


def test_many_texts_one_object_a_line() -> None:
    code, output = run("--json", stdin=f"{UNKNOWN}\n\n{LISTED}\n")
    assert code == 0
    assert [json.loads(line)["class"] for line in output.splitlines()] == ["unknown-recipient", "address-blocklisted"]


def test_a_dash_is_standard_input() -> None:
    assert run("-", stdin=f"{UNKNOWN}\n")[1].startswith("unknown-recipient")


def test_the_senders_domain_is_told_from_a_links() -> None:
    text = "552 Message contains a URL listed by SURBL (shop.example)"
    assert run(text)[1].startswith("url-blocklisted")
    assert run("--sender-domain", "Shop.example", text)[1].startswith("domain-blocklisted")


@pytest.mark.parametrize("text", ["550 \x1b[31mred", "550 User unknown\x07", "\x1b]0;title\x07"])
def test_a_strangers_text_cannot_speak_to_the_terminal(text: str) -> None:
    assert not any(ord(c) < 32 for c in run(text)[1].replace("\n", ""))


def test_nothing_to_read_is_no_failure() -> None:
    assert run(stdin="") == (0, "")


def test_an_unknown_option_is_a_mistake_of_usage() -> None:
    assert run("--such")[0] == 2
