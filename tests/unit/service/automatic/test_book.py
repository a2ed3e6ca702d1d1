"""Whatever happens, in whatever order, with restarts between: the book says what the store says."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.service.automatic.deeds import HOUR, NOW, Journal

from outwarden.events import Action
from outwarden.service.acting import NothingFound
from outwarden.service.automatic import automatic
from outwarden.service.automatic.book import Book
from outwarden.store.responses import OF_ACCOUNTS, ResponseKind, ResponseState

ACCOUNTS = st.sampled_from(["rosa@isp.example", "Rosa@isp.example", "jan", "1001"])
MODES = st.sampled_from(["observe", "ask", "act"])


class Happenings(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outwarden-"))
        self.journal = Journal(self.folder / "outwarden.db", holds_per_hour=2, blocks_per_hour=1, block_hours=30)

    def teardown(self) -> None:
        self.journal.store.close()
        shutil.rmtree(self.folder)

    @rule(account=ACCOUNTS, action=st.sampled_from([Action.HOLD, Action.DEFER, Action.BLOCK]))
    def begin(self, account: str, action: Action) -> None:
        begun = self.journal.begin(action, account)
        assert self.journal.begin(action, account) == begun
        assert begun.in_force is (self.journal.book.in_force(account) is not None)

    @rule(account=ACCOUNTS)
    def confirm(self, account: str) -> None:
        journal = self.journal
        with suppress(NothingFound):
            automatic.confirm(journal.store, journal.book, journal.settings, account, "anna", journal.now)
            assert journal.book.in_force(account) is not None

    @rule(account=ACCOUNTS)
    def refuse(self, account: str) -> None:
        with suppress(NothingFound):
            automatic.refuse(self.journal.store, self.journal.book, account, "anna", self.journal.now)

    @rule(account=ACCOUNTS, wrongly=st.booleans())
    def end(self, account: str, wrongly: bool) -> None:
        automatic.end(self.journal.store, self.journal.book, account, "anna", "done", self.journal.now, wrongly)
        assert self.journal.book.about(account) == []

    @rule(account=ACCOUNTS)
    def block(self, account: str) -> None:
        journal = self.journal
        automatic.block(journal.store, journal.book, journal.settings, account, "anna", "because", journal.now)
        assert [each.state for each in journal.book.about(account)] == [ResponseState.DONE]

    @rule(hours=st.integers(0, 40))
    def expire(self, hours: int) -> None:
        journal = self.journal.later(timedelta(hours=hours, minutes=1))
        automatic.expire(journal.store, journal.book, journal.now)
        assert automatic.expire(journal.store, journal.book, journal.now) == ()

    @rule(hold=MODES, block=MODES)
    def restart(self, hold: str, block: str) -> None:
        self.journal.restart(hold=hold, block=block, holds_per_hour=2, blocks_per_hour=1, block_hours=30)

    @invariant()
    def the_book_says_what_the_store_says(self) -> None:
        assert self.journal.said() == self.journal.said(Book.load(self.journal.store))

    @invariant()
    def no_account_is_treated_in_two_ways(self) -> None:
        keys = [(each.kind, each.subject.lower()) for each in self.journal.store.responses.accounts_standing()]
        assert len(keys) == len(set(keys))
        for each in self.journal.book.blocked():
            standing = self.journal.book.about(each.account)
            assert [one.kind for one in standing] == [ResponseKind.BLOCK_ACCOUNT]

    @invariant()
    def no_more_is_done_by_itself_in_an_hour_than_may_be(self) -> None:
        done = self.journal.store.responses.begun_as_done
        counts = [done(kind, automatic.BY_ITSELF, self.journal.now - HOUR) for kind in OF_ACCOUNTS]
        assert counts[0] <= 2
        assert counts[1] <= 1

    @invariant()
    def nothing_leaves_of_who_is_held_or_blocked(self) -> None:
        for each in self.journal.book.unfinished():
            leaves = each.kind is ResponseKind.QUEUE_RELEASE
            assert not (leaves and self.journal.book.in_force(each.subject))

    @invariant()
    def everything_was_written_after_the_beginning(self) -> None:
        assert all(each.stands_since >= NOW for each in self.journal.book.recent(NOW - HOUR))


TestHappenings = Happenings.TestCase
TestHappenings.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
