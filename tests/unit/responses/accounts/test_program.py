"""A site's own program: what it is given, what its answers mean, and what it may not do to us."""

import sys
from pathlib import Path

import pytest

from outwarden.responses.accounts.connector import Answer, Before, Deed, OperatorFault, TemporaryFault
from outwarden.responses.accounts.program import AccountProgram
from outwarden.responses.accounts.program_settings import ProgramSettings
from outwarden.responses.accounts.secret import Secret, new_secret

ROSA = "rosa@isp.example"


def program(tmp_path: Path, text: str, deeds: tuple[str, ...] = (), seconds: float = 10.0) -> AccountProgram:
    file = tmp_path / "accounts.py"
    file.write_text(f"import sys, json, time\ndeed, account = sys.argv[1:]\n{text}\n")
    command = (sys.executable, "-I", str(file), "{deed}", "{account}")
    return AccountProgram("panel", ProgramSettings(command, deeds or ("lock", "unlock", "set-password"), seconds))


def test_find_is_json(tmp_path: Path) -> None:
    there = program(tmp_path, 'print(json.dumps({"locked": True, "app_passwords": 2, "before": {"h": "x"}}))')
    found = there.find(ROSA)
    assert found is not None
    assert (found.locked, found.app_passwords, found.before) == (True, 2, Before({"h": "x"}))
    assert program(tmp_path, "sys.exit(3)").find(ROSA) is None


@pytest.mark.parametrize(("code", "answer"), [(0, Answer.DONE), (10, Answer.UNKNOWN), (1, Answer.COULD_NOT)])
def test_the_exit_code_is_the_answer(tmp_path: Path, code: int, answer: Answer) -> None:
    outcome = program(tmp_path, f"print('so it is', file=sys.stderr); sys.exit({code})").lock(ROSA)
    assert outcome.answer is answer
    assert outcome.words.endswith(": so it is")


def test_later_and_broken_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(TemporaryFault):
        program(tmp_path, "sys.exit(75)").lock(ROSA)
    with pytest.raises(OperatorFault, match="exited with 2"):
        program(tmp_path, "sys.exit(2)").lock(ROSA)
    with pytest.raises(OperatorFault, match="no JSON"):
        program(tmp_path, "print('hello')").find(ROSA)


def test_a_secret_comes_on_standard_input_and_is_not_told(tmp_path: Path) -> None:
    secret = Secret("Tops-3cret-word")
    seen = tmp_path / "seen"
    text = (
        f"word = sys.stdin.readline(); open({str(seen)!r}, 'w').write(repr((sys.argv, word)))\n"
        "print('bad', word, file=sys.stderr); sys.exit(1)"
    )
    outcome = program(tmp_path, text).set_password(ROSA, secret)
    assert "3cret" not in outcome.words
    arguments, word = eval(seen.read_text())  # noqa: S307 (our own line)
    assert word == "Tops-3cret-word\n"
    assert not any("3cret" in each for each in arguments)


def test_a_large_restore_that_nobody_reads_hangs_nothing(tmp_path: Path) -> None:
    outcome = program(tmp_path, "sys.exit(0)", seconds=5).restore(ROSA, Before({"rows": "x" * 300_000}))
    assert outcome.answer is Answer.DONE


def test_it_has_a_time_and_a_size(tmp_path: Path) -> None:
    with pytest.raises(TemporaryFault, match=r"no end after 0\.2 seconds"):
        program(tmp_path, "time.sleep(60)", seconds=0.2).lock(ROSA)
    with pytest.raises(OperatorFault, match="more than 65536 bytes"):
        program(tmp_path, "\nwhile True: print('x' * 4096)").find(ROSA)


def test_an_account_cannot_become_something_else(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match="no account"):
        program(tmp_path, "sys.exit(0)").lock("--all")


def test_what_it_was_not_set_up_for(tmp_path: Path) -> None:
    there = program(tmp_path, "sys.exit(0)", ("end-sessions",))
    assert there.abilities == frozenset()
    assert there.ends_sessions
    assert there.set_password(ROSA, new_secret()).answer is Answer.COULD_NOT
    assert there.end_sessions(ROSA).answer is Answer.DONE
    with pytest.raises(OperatorFault, match="known are"):
        program(tmp_path, "", ("lokc",))
    with pytest.raises(OperatorFault, match="among its arguments"):
        AccountProgram("panel", ProgramSettings(("panel", "{deed}")))


def test_verify_asks_what_find_knows(tmp_path: Path) -> None:
    there = program(tmp_path, 'print(json.dumps({"locked": False, "app_passwords": 0}))')
    answers = {deed: there.verify(ROSA, deed).answer for deed in Deed}
    assert answers == {
        Deed.LOCK: Answer.COULD_NOT,
        Deed.UNLOCK: Answer.DONE,
        Deed.SET_PASSWORD: Answer.UNKNOWN,
        Deed.REVOKE_APP_PASSWORDS: Answer.DONE,
    }
