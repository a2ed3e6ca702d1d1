"""Accounts in a passwd-file: one field changes, everything else about the file stays."""

import fcntl
import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from outwarden.responses.accounts.connector import Answer, Before, Deed, OperatorFault, TemporaryFault
from outwarden.responses.accounts.hashes import fits
from outwarden.responses.accounts.passwd_file import PasswdFile
from outwarden.responses.accounts.passwd_file_settings import PasswdFileSettings
from outwarden.responses.accounts.passwd_lines import lines_of, with_password
from outwarden.responses.accounts.secret import Secret

CONTENT = (
    b"# Accounts of isp.example\n"
    b"rosa@isp.example:{PLAIN}old:1000:1000::/home/rosa::userdb_quota_rule=*:bytes=1G\n"
    b"\n"
    b"#carl@isp.example:{PLAIN}gone\n"
    b"carl@isp.example:{PLAIN}carls\r\n"
    b"open@isp.example:::::::nopassword=y\n"
    b"\xff\xfe not ours \x0b\x0c:x\n"
    b"last@isp.example:{PLAIN}\xe9"
)
ROSA = "rosa@isp.example"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "users"
    file.write_bytes(CONTENT)
    file.chmod(0o640)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    return file


@pytest.fixture
def accounts(file: Path) -> PasswdFile:
    return PasswdFile("users", PasswdFileSettings(file=str(file)))


def test_each_deed_is_verified_repeatable_and_undone(accounts: PasswdFile, file: Path) -> None:
    accounts.check()
    found = accounts.find(ROSA)
    assert found is not None
    assert found.locked is False
    assert "old" not in repr(found)
    kept = msgspec.json.decode(msgspec.json.encode(found.before), type=Before)
    secret = Secret("Kmp4-x7tz")
    for _ in range(2):
        assert accounts.lock(ROSA).answer is Answer.DONE
        assert accounts.set_password(ROSA, secret).answer is Answer.DONE
    locked = accounts.find(ROSA)
    assert locked is not None
    assert locked.locked is True
    assert locked.before.kept["password"].startswith("{CRYPT}!{SHA512-CRYPT}$6$")
    for _ in range(2):
        assert accounts.unlock(ROSA).answer is Answer.DONE
    changed = accounts.find(ROSA)
    assert changed is not None
    assert fits(secret, changed.before.kept["password"]) is True
    assert accounts.verify(ROSA, Deed.SET_PASSWORD, Secret("another")).answer is Answer.COULD_NOT
    for _ in range(2):
        assert accounts.restore(ROSA, kept).answer is Answer.DONE
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("account", [ROSA, "carl@isp.example", "last@isp.example"])
def test_nothing_else_changes(account: str, accounts: PasswdFile, file: Path) -> None:
    found = accounts.find(account)
    assert found is not None
    accounts.lock(account)
    before, after = CONTENT.split(b"\n"), file.read_bytes().split(b"\n")
    differ = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(differ) == 1
    old, new = differ[0]
    assert new == old.replace(b":{PLAIN}", b":{CRYPT}!{PLAIN}", 1)
    assert accounts.restore(account, found.before).answer is Answer.DONE
    assert file.read_bytes() == CONTENT


def test_owner_rights_and_time(accounts: PasswdFile, file: Path) -> None:
    if os.geteuid() == 0:
        os.chown(file, 65534, 65534)
    before = file.stat()
    accounts.lock(ROSA)
    after = file.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o640)
    assert int(after.st_mtime) > int(before.st_mtime)
    again = file.stat()
    accounts.lock(ROSA)
    assert file.stat().st_ino == again.st_ino
    assert sorted(path.name for path in file.parent.iterdir()) == ["users", "users.lock"]


def test_two_changes_in_one_second_are_two_times(accounts: PasswdFile, file: Path) -> None:
    times = []
    for number in range(3):
        accounts.set_password(ROSA, Secret(f"secret-{number}"))
        times.append(int(file.stat().st_mtime))
    assert len(set(times)) == 3


def test_changes_at_once_are_all_there(file: Path) -> None:
    names = [f"a{number}@isp.example" for number in range(8)]
    file.write_text("".join(f"{name}:{{PLAIN}}x\n" for name in names), encoding="utf-8")
    each = [
        threading.Thread(target=PasswdFile("users", PasswdFileSettings(file=str(file))).lock, args=(name,))
        for name in names
    ]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    assert file.read_text(encoding="utf-8") == "".join(f"{name}:{{CRYPT}}!{{PLAIN}}x\n" for name in names)


def test_what_a_crash_left_is_replaced(accounts: PasswdFile, file: Path) -> None:
    (file.parent / ".users.new").write_bytes(b"half a li")
    assert accounts.lock(ROSA).answer is Answer.DONE
    assert not (file.parent / ".users.new").exists()


def test_held_by_another_is_temporary(accounts: PasswdFile, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outwarden.responses.accounts.replaced_file._LOCK_SECONDS", 0.1)
    with (file.parent / "users.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TemporaryFault, match=r"users: file: .*users\.lock is held"):
            accounts.lock(ROSA)
    assert file.read_bytes() == CONTENT
    assert accounts.lock(ROSA).answer is Answer.DONE


def test_any_password_is_taken(accounts: PasswdFile) -> None:
    found = accounts.find("open@isp.example")
    assert found is not None
    assert found.locked is False
    assert accounts.lock("open@isp.example").answer is Answer.COULD_NOT
    outcome = accounts.set_password("open@isp.example", Secret("a"))
    assert outcome.answer is Answer.COULD_NOT
    assert "nopassword" in outcome.words


@pytest.mark.parametrize(
    "account", ["", "#carl@isp.example", "rosa@isp.example:{PLAIN}old", "x\ny", "\udcff", "rosa", "\0"]
)
def test_no_such_account(account: str, accounts: PasswdFile, file: Path) -> None:
    assert accounts.find(account) is None
    for outcome in (accounts.lock(account), accounts.set_password(account, Secret("a"))):
        assert outcome.answer is Answer.COULD_NOT
    assert accounts.restore(account, Before({"password": "x"})).answer is Answer.COULD_NOT
    assert file.read_bytes() == CONTENT


def test_named_by_what_is_before_the_at(file: Path) -> None:
    file.write_bytes(b"rosa:{PLAIN}old\n")
    accounts = PasswdFile("users", PasswdFileSettings(file=str(file), named_by="local"))
    assert accounts.lock(ROSA).answer is Answer.DONE
    assert file.read_bytes() == b"rosa:{CRYPT}!{PLAIN}old\n"


def test_two_lines(accounts: PasswdFile, file: Path) -> None:
    twice = CONTENT + b"\nrosa@isp.example:{PLAIN}other\n"
    file.write_bytes(twice)
    for deed in (accounts.find, accounts.lock, accounts.unlock):
        with pytest.raises(OperatorFault, match=r"users: file: .*rosa@isp.example stands in lines 2 and 9; keep one"):
            deed(ROSA)
    assert file.read_bytes() == twice


def test_a_link_is_refused(file: Path) -> None:
    link = file.parent / "link"
    link.symlink_to(file)
    accounts = PasswdFile("users", PasswdFileSettings(file=str(link)))
    for deed in (accounts.find, accounts.lock):
        with pytest.raises(OperatorFault, match="link: is a symbolic link"):
            deed(ROSA)
    with pytest.raises(OperatorFault, match="link: is a symbolic link"):
        accounts.check()
    assert file.read_bytes() == CONTENT


def test_a_lock_file_that_is_a_link_is_refused(accounts: PasswdFile, file: Path) -> None:
    (file.parent / "users.lock").symlink_to("/nonexistent/made-by-us")
    with pytest.raises(OperatorFault, match="users: file: "):
        accounts.lock(ROSA)


def test_no_file_and_no_plain_file(tmp_path: Path) -> None:
    with pytest.raises(OperatorFault, match=r"users: file: .*No such file"):
        PasswdFile("users", PasswdFileSettings(file=str(tmp_path / "none"))).check()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OperatorFault, match="is not a plain file"):
        PasswdFile("users", PasswdFileSettings(file=str(tmp_path / "pipe"))).check()


def test_app_passwords(accounts: PasswdFile) -> None:
    assert accounts.revoke_app_passwords(ROSA).answer is Answer.COULD_NOT
    assert accounts.verify(ROSA, Deed.REVOKE_APP_PASSWORDS).answer is Answer.COULD_NOT


LINES = [
    ("a name alone", b"rosa", b"rosa:new"),
    ("no end", b"rosa:old", b"rosa:new"),
    ("an end of DOS", b"rosa:old\r\nb:c\r\n", b"rosa:new\r\nb:c\r\n"),
    ("further fields", b"rosa:old:1:2:::x:y=1:2\n", b"rosa:new:1:2:::x:y=1:2\n"),
    ("a return inside", b"x\rrosa:no\nrosa:old\n", b"x\rrosa:no\nrosa:new\n"),
]


@pytest.mark.parametrize(("name", "content", "expected"), LINES, ids=[case[0] for case in LINES])
def test_lines(name: str, content: bytes, expected: bytes) -> None:
    (line,) = lines_of(content, b"rosa")
    assert with_password(content, line, lambda _: b"new") == expected
