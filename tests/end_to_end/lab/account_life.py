"""What happens to a stolen account at its back end, and what a real mail server makes of each step."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from lab.waiting import wait_until

from outwarden.responses.accounts.connector import (
    AccountBackEnd,
    Answer,
    Before,
    Deed,
    LeftoverPlace,
    OperatorFault,
    TemporaryFault,
)
from outwarden.responses.accounts.secret import new_secret

ROSA, CARL, NOBODY = "rosa@isp.example", "carl@isp.example", "nobody@isp.example"
OLD, APP, CARLS = "old-Pässword", "app-password", "carls-password"
"""The passwords at first: of Rosa, of Rosa's telephone, of Carl, who is never meant."""

LetsIn = Callable[[str, str], bool]


def whole_life(
    back_end: AccountBackEnd,
    lets_in: LetsIn,
    raw: Callable[[], object],
    app_passwords: bool = False,
    while_locked: Answer = Answer.DONE,
    seconds: float = 0.0,
) -> None:
    """Contain, let go, and undo, each twice; ``raw`` is what stands at the back end, read past the connector.

    ``while_locked`` is what the back end can say of a password that is set on a locked account,
    ``seconds`` how long the mail server may take to see a change.
    """
    back_end.check()
    at_first = raw()
    found = back_end.find(ROSA)
    assert found is not None
    assert found.locked is False
    assert back_end.find(NOBODY) is None
    before = msgspec.json.decode(msgspec.json.encode(found.before), type=Before)
    _soon(lets_in, {OLD: True, "wrong": False, **({APP: True} if app_passwords else {})}, seconds)

    done(back_end.lock, ROSA)
    locked = back_end.find(ROSA)
    assert locked is not None
    assert locked.locked is True
    _soon(lets_in, {OLD: False, **({APP: False} if app_passwords else {})}, seconds)
    done(back_end.unlock, ROSA)
    assert raw() == at_first
    _soon(lets_in, {OLD: True}, seconds)

    # As containment does it: locked first, so that the thief is out while the rest is done.
    done(back_end.lock, ROSA)
    new = new_secret()
    for _ in range(2):
        assert back_end.set_password(ROSA, new).answer is while_locked
    if app_passwords:
        done(back_end.revoke_app_passwords, ROSA)
    _soon(lets_in, {OLD: False, new.reveal(): False}, seconds)
    done(back_end.unlock, ROSA)
    assert back_end.verify(ROSA, Deed.SET_PASSWORD, new).answer is Answer.DONE
    assert back_end.verify(ROSA, Deed.SET_PASSWORD, new_secret()).answer is Answer.COULD_NOT
    _soon(lets_in, {OLD: False, new.reveal(): True, **({APP: False} if app_passwords else {})}, seconds)

    for _ in range(2):
        outcome = back_end.restore(ROSA, before)
        assert outcome.answer is Answer.DONE, outcome
        assert raw() == at_first
    _soon(lets_in, {OLD: True, new.reveal(): False, **({APP: True} if app_passwords else {})}, seconds)
    for deed in (back_end.lock, back_end.unlock, back_end.revoke_app_passwords):
        assert deed(NOBODY).answer is Answer.COULD_NOT
    assert back_end.set_password(NOBODY, new).answer is Answer.COULD_NOT
    assert back_end.restore(NOBODY, before).answer is Answer.COULD_NOT
    assert raw() == at_first


def forward_goes_and_comes_back(place: LeftoverPlace | None, raw: Callable[[], object]) -> None:
    """A forward that a thief set is switched off and brought back, each twice."""
    assert place is not None
    at_first = raw()
    since = datetime(2026, 11, 24, tzinfo=UTC)
    (forward,) = place.leftovers(ROSA, since)
    assert "thief@evil.example" in forward.words
    assert place.leftovers(ROSA, datetime(2026, 11, 27, tzinfo=UTC)) == []
    assert place.leftovers(CARL, since) == []
    for _ in range(2):
        assert place.disable(ROSA, forward).answer is Answer.DONE
        assert place.leftovers(ROSA, since) == []
    for _ in range(2):
        assert place.enable(ROSA, forward).answer is Answer.DONE
        assert raw() == at_first


def done(deed: Callable[[str], object], account: str) -> None:
    """Do it twice, as after a crash; both times it is verified."""
    for _ in range(2):
        outcome = deed(account)
        assert getattr(outcome, "answer", None) is Answer.DONE, outcome


def is_down(back_end: AccountBackEnd) -> None:
    """Every question to a server that does not run is to be asked again later."""
    for ask in (back_end.check, lambda: back_end.find(ROSA), lambda: back_end.lock(ROSA)):
        with pytest.raises(TemporaryFault, match=f"^{back_end.name}: "):
            ask()


def is_refused(back_end: AccountBackEnd, *words: str) -> None:
    """Nothing works until a person changes a setting, and the message says which in one line."""
    for ask in (back_end.check, lambda: back_end.find(ROSA), lambda: back_end.lock(ROSA)):
        with pytest.raises(OperatorFault, match=f"^{back_end.name}: ") as fault:
            ask()
        said = str(fault.value)
        assert all(word in said for word in words), said
        assert "\n" not in said
        assert "mistyped" not in said


def _soon(lets_in: LetsIn, expected: dict[str, bool], seconds: float) -> None:
    wait_until(lambda: {password: lets_in(ROSA, password) for password in expected} == expected, str(expected), seconds)
    assert lets_in(CARL, CARLS)
