"""A real Dovecot reads the passwd-file that we change under its eyes, and knows the hashes that we make."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import account_life as life
from lab.dovecot_imap import INSTALLED, DovecotImap
from lab.waiting import wait_until

from outwarden.responses.accounts.connector import Answer
from outwarden.responses.accounts.hashes import Scheme, fits, hashed
from outwarden.responses.accounts.passwd_file import PasswdFile
from outwarden.responses.accounts.passwd_file_settings import PasswdFileSettings
from outwarden.responses.accounts.secret import Secret

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a real Dovecot needs root"),
    pytest.mark.skipif(not INSTALLED, reason="dovecot-imapd is not installed"),
]
USERS = f"""\
# Accounts
{life.ROSA}:{{PLAIN}}{life.OLD}::::::
{life.CARL}:{{PLAIN}}{life.CARLS}::::::
"""


@pytest.fixture
def users(home: Path) -> Path:
    users = home / "users"
    users.write_text(USERS, encoding="utf-8")
    users.chmod(0o644)
    return users


@pytest.fixture
def dovecot(home: Path, users: Path) -> Iterator[DovecotImap]:
    # Plain text as the default is the trap: whatever names no scheme would be taken for a password.
    server = DovecotImap(home / "dovecot", [("passwd-file", f"scheme=PLAIN username_format=%u {users}")])
    yield server
    server.stop()


def test_an_account_in_a_passwd_file(users: Path, dovecot: DovecotImap) -> None:
    back_end = PasswdFile("users", PasswdFileSettings(file=str(users)))
    # Dovecot looks once in a second whether the file is another.
    life.whole_life(back_end, dovecot.lets_in, users.read_bytes, seconds=3)
    assert users.read_text(encoding="utf-8") == USERS


@pytest.mark.parametrize("scheme", Scheme)
def test_dovecot_lets_in_by_each_scheme(scheme: Scheme, users: Path, dovecot: DovecotImap) -> None:
    back_end = PasswdFile("users", PasswdFileSettings(file=str(users), scheme=scheme.value))
    secret = Secret("Größe-2026")
    assert back_end.set_password(life.ROSA, secret).answer is Answer.DONE
    wait_until(lambda: dovecot.lets_in(life.ROSA, "Größe-2026"), "the new password", 3)
    assert not dovecot.lets_in(life.ROSA, "größe-2026")
    assert not dovecot.lets_in(life.ROSA, life.OLD)
    assert back_end.lock(life.ROSA).answer is Answer.DONE
    wait_until(lambda: not dovecot.lets_in(life.ROSA, "Größe-2026"), "the lock", 3)


@pytest.mark.parametrize("scheme", Scheme)
def test_doveadm_and_we_agree(scheme: Scheme, dovecot: DovecotImap) -> None:
    def doveadm(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["doveadm", "-c", str(dovecot.settings), "pw", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30)

    ours = hashed(Secret("Kmp4-x7tz"), scheme)
    assert doveadm("-t", ours, "-p", "Kmp4-x7tz").returncode == 0
    assert doveadm("-t", ours, "-p", "Kmp4-x7ty").returncode != 0
    bare = hashed(Secret("Kmp4-x7tz"), scheme, prefix=False)
    assert doveadm("-t", f"{{{scheme}}}{bare}", "-p", "Kmp4-x7tz").returncode == 0
    theirs = doveadm("-s", scheme.value, "-p", "Kmp4-x7tz").stdout.strip()
    assert fits(Secret("Kmp4-x7tz"), theirs) is True
    assert fits(Secret("Kmp4-x7ty"), theirs) is False
