"""What is left of a thief: scripts in words, and the .forward of a home, switched off and on."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.responses.accounts.connector import Answer, OperatorFault
from outwarden.responses.accounts.doveadm import masked
from outwarden.responses.accounts.forward_file import ForwardFiles
from outwarden.responses.accounts.sieve_scripts import what_it_does

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", "nothing that moves mail"),
        ("keep;", "nothing that moves mail"),
        ('redirect "a@x.example";', "redirect (to a@x.example)"),
        ('require ["copy"];\nredirect :copy "a@x.example"; discard;', "discard, redirect (to a@x.example)"),
        ('# redirect "a@x.example";\n/* discard; */ fileinto "Trash";', "fileinto"),
        ("/* never ended", "nothing that moves mail"),
        ("redirect " * 50_000, "redirect"),
    ],
    ids=lambda value: value[:30],
)
def test_a_script_in_words(script: str, words: str) -> None:
    assert what_it_does(script) == words


@pytest.mark.parametrize("account", ["*", "*@isp.example", "ros?", "192.0.2.1", "2001:db8::/32", "12", "-A", "a b"])
def test_no_account_becomes_a_mask(account: str) -> None:
    with pytest.raises(OperatorFault):
        masked(account)


def test_a_forward_goes_and_comes_back(tmp_path: Path) -> None:
    place = ForwardFiles(lambda _account: tmp_path)
    assert place.leftovers("rosa", LONG_AGO) == []
    forward = tmp_path / ".forward"
    forward.write_text("thief@elsewhere.example\n\\rosa\n")
    (found,) = place.leftovers("rosa", LONG_AGO)
    assert found.words == ".forward: thief@elsewhere.example, \\rosa"
    for _ in range(2):
        assert place.disable("rosa", found).answer is Answer.DONE
        assert not forward.exists()
    for _ in range(2):
        assert place.enable("rosa", found).answer is Answer.DONE
        assert forward.read_text() == "thief@elsewhere.example\n\\rosa\n"


def test_a_forward_of_before_is_none_of_a_thiefs_whatever_its_own_time_says(tmp_path: Path) -> None:
    place = ForwardFiles(lambda _account: tmp_path)
    (tmp_path / ".forward").write_text("thief@elsewhere.example\n")
    os.utime(tmp_path / ".forward", (0, 0))
    assert len(place.leftovers("rosa", datetime.now(UTC) - timedelta(hours=1))) == 1
    assert place.leftovers("rosa", datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_new_forward_of_the_owner_is_not_overwritten(tmp_path: Path) -> None:
    place = ForwardFiles(lambda _account: tmp_path)
    (tmp_path / ".forward").write_text("thief@elsewhere.example\n")
    (found,) = place.leftovers("rosa", LONG_AGO)
    place.disable("rosa", found)
    (tmp_path / ".forward").write_text("rosa@new.example\n")
    assert place.enable("rosa", found).answer is Answer.COULD_NOT
    assert (tmp_path / ".forward").read_text() == "rosa@new.example\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root:hash")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".forward").symlink_to(secret)
    (found,) = ForwardFiles(lambda _account: home).leftovers("rosa", LONG_AGO)
    assert "hash" not in found.words
    link = tmp_path / "link"
    link.symlink_to(home)
    with pytest.raises(OperatorFault):
        ForwardFiles(lambda _account: link).leftovers("rosa", LONG_AGO)
