"""The same events give the same decisions, whatever is saved in between, each with its words; and nothing raises."""

from itertools import islice

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.detection.live.happenings import Asked, Happening, explained, happenings, hostile, tell, tell_all

from outwarden.detection.live import Judge
from outwarden.detection.live.counts import Window
from outwarden.detection.live.encoding import decode_record, encode_record
from outwarden.detection.live.record import AccountRecord
from outwarden.events import Decision, Submitted

SOME = settings(max_examples=80, deadline=None)
Told = list[Happening]


@SOME
@given(happenings())
def test_two_judges_say_the_same(told: Told) -> None:
    one, other = Judge(), Judge()
    assert tell_all(one, told) == tell_all(other, told)
    assert one.save() == other.save()


@SOME
@given(happenings(), st.sets(st.integers(0, 40), max_size=6))
def test_saving_and_restoring_changes_nothing(told: Told, when: set[int]) -> None:
    straight, stopped = Judge(), Judge()
    for number, one in enumerate(told):
        if number in when:
            stopped = Judge.restore(stopped.save())
        assert tell(stopped, one) == tell(straight, one)
    assert stopped.save() == straight.save()


@SOME
@given(happenings(), st.sets(st.integers(0, 40), max_size=6))
def test_single_records_may_be_saved_and_read_back(told: Told, when: set[int]) -> None:
    straight, stopped = Judge(), Judge()
    for number, one in enumerate(told):
        if number in when:
            for _, saved in list(stopped.records.changed()):
                record = decode_record(saved)
                assert encode_record(record) == saved
                stopped.records.put(record)
        assert tell(stopped, one) == tell(straight, one)
    assert stopped.save() == straight.save()


@SOME
@given(happenings(), st.sets(st.integers(0, 40), max_size=3))
def test_records_that_are_taken_later_are_as_they_were(told: Told, when: set[int]) -> None:
    at_once, later = Judge(), Judge()
    expected: list[tuple[str, bytes]] = []
    taken: list[tuple[str, bytes]] = []
    leaving = later.records.changed()
    for number, one in enumerate(told):
        if number in when:
            taken += leaving
            expected += at_once.records.changed()
            leaving = later.records.changed()
        tell(at_once, one)
        tell(later, one)
        taken += islice(leaving, 1)
    assert taken + list(leaving) == expected
    assert list(later.records.changed()) == list(at_once.records.changed())


@SOME
@given(happenings(60))
def test_who_is_stopped_is_told_why(told: Told) -> None:
    judge = Judge()
    for one in told:
        said = tell(judge, one)
        if isinstance(one, Submitted):
            assert explained(msgspec.msgpack.decode(said, type=Decision))
        elif isinstance(one, Asked) and one.what == "release":
            _, decision = msgspec.msgpack.decode(said, type=tuple[int, Decision | None])
            assert decision is None or explained(decision)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(hostile, hostile, happenings(3)), max_size=20))
def test_hostile_events_raise_nothing_and_can_be_saved(told: list[Happening | Told]) -> None:
    judge = Judge()
    for one in told:
        for each in one if isinstance(one, list) else [one]:
            tell(judge, each)
    restored = Judge.restore(judge.save())
    assert restored.save() == judge.save()
    for _, saved in judge.records.all():
        record = decode_record(saved)
        assert len(saved) < 8000 + len(record.account)
        assert_sound(record)


def assert_sound(record: AccountRecord) -> None:
    for window in (record.hour, record.day):
        assert isinstance(window, Window)
        rows = [row for row in window.rows if row is not None]
        assert all(count >= 0 for row in rows for count in row)
        assert window.sums == [sum(column) for column in zip(*rows, [0] * len(window.sums), strict=True)]
    assert all(count >= 0.0 for count in record.own)
    hold = record.hold
    assert hold is None or min(hold.good, hold.bad, hold.refused, hold.released, hold.step) >= 0
