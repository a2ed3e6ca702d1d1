"""The sieve script that is active for an account, in Dovecot: what it does, since when, switched off and on again.

A thief who was thrown out goes on reading where a script sends a copy of everything.  The script stays where it is and
is only made inactive.  When it changed is read from its file, where ``plugin/sieve`` names one in the account's home;
the time is that of the inode, which nobody can set back.

Not covered: scripts of the site itself (``sieve_before``, ``sieve_after``), which no thief of an account can write, and
scripts that the active one includes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from outwarden.responses.accounts.connector import Answer, Before, Leftover, OperatorFault, Outcome
from outwarden.responses.accounts.doveadm import NO_ACCOUNT, NOTHING_FOUND, Doveadm, masked

_ACTIONS = re.compile(r"\b(redirect|vacation|discard|ereject|reject|notify|fileinto|pipe|execute|setflag|addflag)\b")
_COMMENTS = re.compile(r"#[^\n]*|/\*[^*]*(?:\*(?!/)[^*]*)*(?:\*/|\Z)")
_TARGETS = re.compile(r"\bredirect\b[^;\"]{0,200}\"([^\"]{0,320})\"")
_NAME = re.compile(r"[^\x00-\x1f\x7f/]{1,255}")
_MOST_TARGETS = 5


class DovecotSieve:
    """A ``LeftoverPlace``."""

    name = "sieve"

    def __init__(self, config: Path | None = None) -> None:
        """``config`` is Dovecot's file of settings, None for its default."""
        self._doveadm = Doveadm(config)

    def leftovers(self, account: str, since: datetime) -> list[Leftover]:
        """Return the active script, unless its file certainly stands since before ``since``."""
        name = self._active(account)
        if name is None:
            return []
        changed_at = self._changed_at(account, name)
        if changed_at is not None and changed_at < since:
            return []
        said = self._doveadm.ask("sieve", "get", "-u", masked(account), name, codes=(0, NOTHING_FOUND))
        words = f"sieve script {name}: {what_it_does(said.out)}"
        return [Leftover("sieve", name, words, changed_at, active=True, before=Before({"script": name}))]

    def disable(self, account: str, leftover: Leftover) -> Outcome:
        """Make it inactive; the script itself stays."""
        if (active := self._active(account)) not in {None, leftover.key}:
            return Outcome(Answer.COULD_NOT, f"sieve: another script is active by now: {active}")
        self._doveadm.ask("sieve", "deactivate", "-u", masked(account))
        if self._active(account) is not None:
            return Outcome(Answer.COULD_NOT, f"sieve: script {leftover.key} is active still")
        return Outcome(Answer.DONE, f"sieve: script {leftover.key} is inactive")

    def enable(self, account: str, leftover: Leftover) -> Outcome:
        """Make it active again, unless its owner has chosen another one."""
        active = self._active(account)
        if active is not None and active != leftover.key:
            return Outcome(Answer.COULD_NOT, f"sieve: {active} is active since; {leftover.key} stays inactive")
        said = self._doveadm.ask("sieve", "activate", "-u", masked(account), leftover.key, codes=(0, NOTHING_FOUND))
        if said.code or self._active(account) != leftover.key:
            return Outcome(Answer.COULD_NOT, f"sieve: script {leftover.key} is not there any more")
        return Outcome(Answer.DONE, f"sieve: script {leftover.key} is active again")

    def _active(self, account: str) -> str | None:
        said = self._doveadm.ask("-f", "tab", "sieve", "list", "-u", masked(account), codes=(0, NO_ACCOUNT))
        for line in said.out.splitlines()[1:]:
            name, _, state = line.partition("\t")
            if state.strip() == "ACTIVE":
                if name.startswith("-") or not _NAME.fullmatch(name):
                    raise OperatorFault(f"sieve: the script {name[:60]!r} cannot be named on a command line")
                return name
        return None

    def _changed_at(self, account: str, name: str) -> datetime | None:
        home = self._doveadm.home(account)
        setting = self._doveadm.ask("config", "-h", "plugin/sieve", codes=(0, 1, 64, 65, 89)).out.strip()
        if home is None:
            return None
        folder, _, options = setting.removeprefix("file:").partition(";")
        active = next((each[7:] for each in options.split(";") if each.startswith("active=")), "~/.dovecot.sieve")
        places = [_inside(home, active), _inside(home, f"{folder}/{name}.sieve") if folder else None]
        times = [_inode_time(place) for place in places if place is not None]
        known = [each for each in times if each is not None]
        return max(known) if known else None


def what_it_does(script: str) -> str:
    """Return the actions of a script in a line, and where it sends mail; for people, not for a judge."""
    text = _COMMENTS.sub(" ", script)
    actions = sorted(set(_ACTIONS.findall(text)))
    targets = sorted(set(_TARGETS.findall(text)))
    shown = ", ".join(each[:100] for each in targets[:_MOST_TARGETS])
    return (", ".join(actions) or "nothing that moves mail") + (f" (to {shown})" if targets else "")


def _inside(home: Path, text: str) -> Path | None:
    text = text.replace("%h", "~", 1) if text.startswith("%h") else text
    return None if not text.startswith("~/") or "%" in text else home / text[2:]


def _inode_time(place: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(place.lstat().st_ctime, UTC)
    except OSError:
        return None
