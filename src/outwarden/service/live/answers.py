"""What the operator's commands are answered: each verb of the control socket, from memory or from the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec

from outwarden.cases.policy import Role
from outwarden.detection.live.counts import Count
from outwarden.detection.live.scene import moment
from outwarden.events import Standing
from outwarden.service.automatic import automatic
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.in_force import reference
from outwarden.service.control import status as told
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.queue_answers import CHANGES, QueueAnswers
from outwarden.service.control.records import ChangeRecord, ResponseRecord, standing_record
from outwarden.service.control.server import Answer, Asker
from outwarden.service.desk import repeats
from outwarden.service.desk.case_verbs import waits_for_a_yes
from outwarden.service.desk.site import DeskSite
from outwarden.service.live import status
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.consequences import Following
from outwarden.service.live.doors import Door
from outwarden.service.live.gate import Gate
from outwarden.service.live.live_desk import LiveDesk
from outwarden.service.live.log_thread import LogFacts
from outwarden.service.live.minutes import Minutes
from outwarden.service.live.saving import Saving
from outwarden.service.live.site_files import SiteFiles
from outwarden.service.live.store_thread import StoreThread
from outwarden.service.settings import Settings
from outwarden.service.time_zone import local_zone
from outwarden.store.responses import OF_ACCOUNTS, WAITING, Response, ResponseKind, ResponseState
from outwarden.store.store import Store

_EVER = datetime(1970, 1, 1, tzinfo=moment(0).tzinfo)
_MOST_TOLD = 500
_MOST_ASKED = 50
_USUAL_DAYS = 14

_Q = TypeVar("_Q", bound="_Question")
_Give = Callable[[Mapping[str, Any], Asker], Awaitable[told.AccountChange]]


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a verb."""


class _OfAccount(_Question, frozen=True):
    account: str


class _Change(_Question, frozen=True):
    account: str
    reason: str = ""
    dry_run: bool = False
    wrongly: bool = False


class _OfReference(_Question, frozen=True):
    reference: str
    reason: str = ""
    dry_run: bool = False


class Answers:
    """Everything that may be asked; ``by_verb`` is for the control server."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        book: Book,
        following: Following,
        gate: Gate,
        doors: Mapping[str, Door],
        minutes: Minutes,
        saving: Saving,
        site_files: SiteFiles,
        store: StoreThread,
        logs: Sequence[LogFacts],
        resolver_fault: Callable[[], str | None],
        settings: Settings,
        clock: Callable[[], datetime],
        began_at: datetime,
        desk: LiveDesk,
    ) -> None:
        self._accounts, self._book, self._following, self._gate = accounts, book, following, gate
        self._doors, self._minutes, self._saving, self._store = doors, minutes, saving, store
        self._site_files = site_files
        self._logs, self._resolver_fault, self._settings = logs, resolver_fault, settings
        self._clock, self._began_at, self._desk = clock, began_at, desk

    def by_verb(self) -> dict[str, Answer]:
        """Return who answers which verb."""
        return {
            "status": Answer(self.status),
            "status.filter": Answer(self.filter_report),
            "account.show": Answer(self.show),
            "account.history": Answer(self.history),
            "account.offenders": Answer(self.offenders),
            "account.offences": Answer(self.offences),
            "account.block": Answer(self._by_the_desk(self.block), changes=True),
            "account.unblock": Answer(self._by_the_desk(self.unblock), changes=True),
            "response.confirm": Answer(self._by_the_desk(self.confirm), changes=True),
            "response.dismiss": Answer(self._by_the_desk(self.dismiss), changes=True),
            **self._of_the_queue(),
        }

    def _by_the_desk(self, give: _Give) -> _Give:
        """Refuse whoever may only read, by the roles of the settings."""

        async def answer(arguments: Mapping[str, Any], asker: Asker) -> told.AccountChange:
            role = self._desk.role(asker)
            if not role.may(Role.DESK):
                raise Fault(FaultKind.NOT_ALLOWED, f"this needs {Role.DESK.value}, and {asker.name} is {role.value}")
            return await give(arguments, asker)

        return answer

    # -- the one screen

    async def status(self, _arguments: Mapping[str, Any], _asker: Asker) -> told.Status:
        """Return how everything stands."""
        now = self._clock()
        listings, pauses, asked = await self._store.read(_listings_pauses_and_cases)
        acting = self._following.acting_settings
        shown = status.screen(
            now=now,
            running_since=self._began_at,
            modes={"hold": acting.hold, "block": acting.block, "limit": acting.limit},
            gate=status.gate_status(self._gate, self._doors, self._settings.gate),
            logs=tuple(status.log_status(facts, now) for facts in self._logs),
            minutes=self._minutes,
            pauses=pauses,
            book=self._book,
            listings=listings,
            wrong=status.faults(
                {
                    "store": self._saving.fault,
                    "minutes": self._minutes.fault,
                    "mail server": self._following.fault,
                    "queue": self._minutes.queue_fault,
                    "cases": self._desk.work.fault,
                    "resolver": self._resolver_fault() or "",
                    **self._site_files.faults(),
                }
            ),
            learning=self._gate.learning,
        )
        return msgspec.structs.replace(shown, waits_for_me=(*shown.waits_for_me, *asked))

    async def filter_report(self, _arguments: Mapping[str, Any], _asker: Asker) -> object:
        """Return what the filter missed, and what it stopped wrongly."""
        return self._accounts.watch.report(self._clock())

    # -- one account

    async def show(self, arguments: Mapping[str, Any], _asker: Asker) -> told.AccountReport:
        """Return all that is known of an account."""
        account = _asked(_OfAccount, arguments).account
        now = self._clock()
        judge = self._accounts.judge
        name = next(
            (one for one in (account, account.lower()) if judge.view(one, now.timestamp()) is not None), account
        )
        view = judge.view(name, now.timestamp())
        standing = self._book.about(account)
        if view is None and not standing:
            raise Fault(FaultKind.NOT_FOUND, f"{account}: no such account has handed anything in")
        record = judge.records.get(name)
        in_force = self._book.in_force(account)
        history = await self._store.read(_responses_about, account)
        day = None if record is None else record.day.sums
        usual = await self._store.read(_usual, name, now)
        state = Standing.NORMAL if record is None else record.standing
        return told.AccountReport(
            account=name,
            kind="login" if record is None else record.kind.value,
            standing=status.standing_word(state) if in_force is None else _in_force_word(in_force.kind),
            in_force=in_force is not None,
            points=0.0 if view is None else view.points,
            cause=None if view is None or view.cause is None else view.cause.value,
            because=() if view is None else view.because,
            since=in_force.since if in_force else moment(record.standing_at) if record and record.standing_at else None,
            reference=in_force.reference if in_force else reference(standing[-1].id) if standing else "",
            findings=()
            if view is None
            else tuple(told.FindingTold(one.rule, one.points, one.text, one.at, one.evidence) for one in view.findings),
            first_seen=None if record is None else moment(record.first_at),
            messages=None if day is None else day[Count.MESSAGES],
            recipients=None if day is None else day[Count.RECIPIENTS],
            new_recipients=None if day is None else day[Count.NEW],
            refused=None if day is None else day[Count.REFUSED],
            unknown_recipients=None if day is None else day[Count.UNKNOWN],
            complaints=None if day is None else day[Count.COMPLAINTS],
            networks=() if record is None else tuple(sorted(record.networks)),
            usual=usual,
            offences=0 if record is None else len(record.offences),
            responses=tuple(map(standing_record, history)),
            next_steps=status.waiting([each for each in standing if each.state in WAITING], (), ()),
        )

    async def history(self, arguments: Mapping[str, Any], _asker: Asker) -> tuple[told.HistoryEntry, ...]:
        """Return what was done about an account, newest first."""
        account = _asked(_OfAccount, arguments).account
        entries = await self._store.read(_history, account)
        if not entries and self._accounts.judge.view(account, self._clock().timestamp()) is None:
            raise Fault(FaultKind.NOT_FOUND, f"{account}: no such account has handed anything in")
        return entries

    async def offenders(self, _arguments: Mapping[str, Any], _asker: Asker) -> tuple[told.Offender, ...]:
        """Return the accounts that were blocked, most often first."""
        found = await self._store.read(_offenders, self._desk.site, self._clock())
        return tuple(
            msgspec.structs.replace(one, standing=status.standing_word(self._accounts.judge.standing(one.account)))
            for one in found
        )

    async def offences(self, arguments: Mapping[str, Any], _asker: Asker) -> repeats.Offences:
        """Return what is remembered of an account, and what its next offence leads to."""
        account = _asked(_OfAccount, arguments).account
        return await self._store.read(repeats.offences, self._desk.site, account, self._clock())

    # -- changes

    async def block(self, arguments: Mapping[str, Any], asker: Asker) -> told.AccountChange:
        """Block an account because a person says so."""
        asked = _asked(_Change, arguments)
        account, now = asked.account, self._clock()
        if asked.dry_run:
            return told.AccountChange(account, f"{account} is blocked", dry_run=True)
        why = asked.reason or "blocked by the postmaster"
        response = await self._desk.deeds.block(account, asker.name, why, None, now)
        await self._following.let_held_mail_go()
        return told.AccountChange(
            account,
            f"{account} is blocked until {response.expires_at:%Y-%m-%d %H:%M} UTC",
            reference(response.id),
            undo=f"outwarden account unblock {account}",
        )

    async def unblock(self, arguments: Mapping[str, Any], asker: Asker) -> told.AccountChange:
        """Give an account back: everything that stands about it ends."""
        asked = _asked(_Change, arguments)
        account, now = asked.account, self._clock()
        standing = self._book.about(account)
        blocked = self._accounts.judge.standing(account) in (Standing.BLOCKED, Standing.HELD)
        if not standing and not blocked:
            raise Fault(
                FaultKind.NOT_FOUND, f"{account}: is neither blocked nor held, so there is nothing to take back"
            )
        locked = await self._store.read(repeats.locked_case, self._desk.site, account)
        if locked is not None and (why := repeats.refusal(locked, account, asker.name, self._desk.role(asker))):
            raise Fault(FaultKind.NOT_ALLOWED, why)
        if asked.dry_run:
            what = (
                ", ".join(f"{each.kind.value} {reference(each.id)}" for each in standing) or "the judge's own standing"
            )
            return told.AccountChange(account, f"ended: {what}", dry_run=True)
        why = asked.reason or "given back"
        if locked is not None and not asked.wrongly:
            await self._desk.unlock(locked, asker, why)
        over = await self._desk.deeds.give_back(account, asker.name, why, asked.wrongly, now)
        await self._following.let_held_mail_go()
        return told.AccountChange(
            account,
            f"{account} may hand mail in again, on probation",
            reference(over[-1].response.id) if over else "",
            undo=f"outwarden account block {account}",
        )

    async def confirm(self, arguments: Mapping[str, Any], asker: Asker) -> told.AccountChange:
        """Do what waits for a person."""
        asked = _asked(_OfReference, arguments)
        now = self._clock()
        if asked.dry_run:
            return told.AccountChange(asked.reference, f"{asked.reference} is done", dry_run=True)
        response = await self._store.run(
            automatic.confirm,
            self._book,
            self._following.acting_settings,
            asked.reference,
            asker.name,
            now,
            asked.reason,
        )
        if response.kind is ResponseKind.BLOCK_ACCOUNT:
            self._accounts.judge.blocked(response.subject, now.timestamp())
        await self._saving.save()
        await self._following.let_held_mail_go()
        return told.AccountChange(
            response.subject,
            f"{response.kind.value} is done",
            reference(response.id),
            undo=f"outwarden account unblock {response.subject}",
        )

    async def dismiss(self, arguments: Mapping[str, Any], asker: Asker) -> told.AccountChange:
        """Do not do what waits for a person."""
        asked = _asked(_OfReference, arguments)
        now = self._clock()
        if asked.dry_run:
            return told.AccountChange(asked.reference, f"{asked.reference} is not done", dry_run=True)
        over = await self._store.run(automatic.refuse, self._book, asked.reference, asker.name, now, asked.reason)
        self._following.ended(over, now, wrongly=True)
        await self._saving.save()
        await self._following.let_held_mail_go()
        account = over[0].account
        return told.AccountChange(account, f"{account} is left as it is", reference(over[0].response.id))

    # -- the queue

    def _of_the_queue(self) -> dict[str, Answer]:
        return {verb: Answer(self._queue_verb(verb), changes=changes) for verb, changes in CHANGES.items()}

    def _queue_verb(self, verb: str) -> Callable[[dict[str, Any], Asker], Awaitable[Any]]:
        async def answer(arguments: dict[str, Any], asker: Asker) -> Any:  # noqa: ANN401 (whatever the verb answers)
            told_of = await self._following.in_acting_thread(lambda: self._act(verb, arguments, asker.name))
            if verb == "queue.release" and isinstance(told_of, ChangeRecord):
                await self._released(told_of, arguments.get("account"), asker)
            return told_of

        return answer

    async def _released(self, change: ChangeRecord, account: str | None, asker: Asker) -> None:
        """Note that a person lets held mail go; where it is all of an account's, its hold is over."""
        now = self._clock()
        if account is None:
            return
        self._accounts.watch.released(account, change.queue_ids, "person", now)
        stands = self._book.in_force(account)
        if stands is not None and stands.kind is ResponseKind.HOLD_ACCOUNT:
            over = await self._store.run(
                automatic.end, self._book, account, asker.name, "its held mail was released", now
            )
            self._following.ended(over, now)
            await self._saving.save()

    def _act(self, verb: str, arguments: Mapping[str, Any], asked_by: str) -> object:
        """Runs in the acting thread, with a store of its own."""
        with Store(self._store.path) as store:
            answers = QueueAnswers(store, self._settings.mail_server, self._clock, local_zone())
            return answers.by_verb()[verb].give(arguments, asked_by)


def _asked(kind: type[_Q], arguments: Mapping[str, Any]) -> _Q:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as fault:
        raise Fault(FaultKind.MALFORMED, f"no such question: {fault}") from None


def _in_force_word(kind: ResponseKind) -> told.StandingWord:
    return "blocked" if kind is ResponseKind.BLOCK_ACCOUNT else "held"


def _listings_pauses_and_cases(
    store: Store,
) -> tuple[tuple[told.OpenListing, ...], tuple[ResponseRecord, ...], tuple[told.Waiting, ...]]:
    major = frozenset(store.listings.open_on_major_lists())
    return (
        status.open_listings(store.listings.open(), major),
        tuple(map(standing_record, store.responses.standing())),
        tuple(map(waits_for_a_yes, store.case_tries.waiting_for_a_person()[:_MOST_ASKED])),
    )


def _responses_about(store: Store, account: str) -> list[Response]:
    found = [each for kind in OF_ACCOUNTS for each in store.responses.about(kind, account)]
    return sorted(found, key=lambda each: each.id, reverse=True)[:_MOST_TOLD]


def _history(store: Store, account: str) -> tuple[told.HistoryEntry, ...]:
    entries = [
        told.HistoryEntry(
            turn.at,
            f"{each.kind.value} {turn.state.value}",
            turn.remark or each.reason,
            each.asked_by,
            reference(each.id),
        )
        for each in _responses_about(store, account)
        for turn in reversed(store.responses.turns(each))
    ]
    by_cases = [
        told.HistoryEntry(
            one.at, f"{one.response.value} {one.answer.value}", one.words, one.said_yes or f"case {one.case}", one.case
        )
        for one in repeats.history(store, account, _EVER)
        if one.response.value not in list(OF_ACCOUNTS)
    ]
    return tuple(sorted((*entries, *by_cases), key=lambda entry: entry.at, reverse=True)[:_MOST_TOLD])


def _offenders(store: Store, site: DeskSite, now: datetime) -> list[told.Offender]:
    by_account: dict[str, list[Response]] = {}
    for response in store.responses.of_accounts(_EVER, 100_000):
        stood = response.state is ResponseState.DONE or response.state is ResponseState.UNDONE
        if response.kind is ResponseKind.BLOCK_ACCOUNT and stood and not response.remark.endswith("it was wrong"):
            by_account.setdefault(response.subject, []).append(response)
    found = [
        told.Offender(account, len(each), max(one.intended_at for one in each)) for account, each in by_account.items()
    ]
    told_ones = sorted(found, key=lambda one: (-one.offences, one.account))[:_MOST_TOLD]
    return [_with_counts(store, site, one, by_account[one.account], now) for one in told_ones]


def _with_counts(
    store: Store, site: DeskSite, offender: told.Offender, blocks: list[Response], now: datetime
) -> told.Offender:
    remembered = repeats.offences(store, site, offender.account, now)
    thirty, ninety, year = (
        sum(one.intended_at >= now - timedelta(days=days) for one in blocks) for days in repeats.PERIODS
    )
    return msgspec.structs.replace(
        offender,
        within_30_days=thirty,
        within_90_days=ninety,
        within_365_days=year,
        resets=remembered.resets.within_365_days,
        next_measure=remembered.next_measure.value,
    )


def _usual(store: Store, account: str, now: datetime) -> tuple[str, ...]:
    from outwarden.store.sums import Step

    days = store.sums.of_account(account, Step.DAY, now - timedelta(days=_USUAL_DAYS))
    if not days:
        return ()
    messages = sorted(day.counts.messages for day in days)
    recipients = sorted(day.counts.recipients for day in days)
    return (
        f"{messages[len(messages) // 2]} messages and {recipients[len(recipients) // 2]} recipients on a usual day of "
        f"the last {_USUAL_DAYS}, {recipients[-1]} recipients at most",
    )
