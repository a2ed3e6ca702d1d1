"""What the rest of the service writes down opens, feeds and moves cases, each thing once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.unit.service.automatic.deeds import JAN, NOW, ROSA, decided
from tests.unit.service.desk.office import Office

from outwarden.cases.troubles import Trouble
from outwarden.events import Action, Finding, ListAnswer, ListAnswerKind
from outwarden.service.automatic import automatic
from outwarden.service.desk.news import queue_troubles, tell_of_queue
from outwarden.store.store import Store


def troubles(office: Office) -> list[str]:
    return sorted(f"{one.trouble.value} {one.subscriber} {one.state.value}" for one in office.store.cases.all_cases())


def test_a_block_that_is_only_observed_opens_none_unless_the_site_says_so(tmp_path: Path) -> None:
    for observed, expected in ((False, []), (True, ["stolen-account rosa waiting"])):
        office = Office(tmp_path / str(observed), observed=observed)
        office.acting = type(office.acting)()
        automatic.begin(office.store, office.book, office.acting, decided(Action.BLOCK), NOW)
        office.work()
        assert troubles(office) == expected


def test_a_persons_block_opens_a_case_and_a_hold_of_few_points_none(tmp_path: Path) -> None:
    office = Office(tmp_path)
    automatic.begin(office.store, office.book, office.acting, decided(Action.HOLD), NOW)
    office.work()
    assert troubles(office) == []
    automatic.block(office.store, office.book, office.acting, JAN, "kim", "seen by the desk", NOW)
    office.work()
    assert troubles(office) == [f"stolen-account account:{JAN} waiting"]
    assert len(office.calls()) == 1  # There is nobody else to tell.
    assert "blocked by a person: seen by the desk" in office.timeline()[0].text


def test_what_was_there_before_there_was_a_desk_opens_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with office.store.writing():
        office.store.case_tries.read_up_to("responses", 0)
    automatic.begin(office.store, office.book, office.acting, decided(Action.BLOCK), NOW)
    office.work()
    office.work()
    assert troubles(office) == ["stolen-account rosa waiting"]
    assert office.case.evidence_count == 1


def test_what_the_desk_did_itself_is_no_news(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.theft()
    office.say("put-right")
    assert office.place() == "resolved: watch"
    assert [one.text for one in office.timeline() if one.kind.value == "news"] == []


def listing(office: Office, target: str, name: str, answer: ListAnswerKind, meaning: str = "spam") -> None:
    """As the rounds write it, with a store of their own."""
    with Store(office.path) as store:
        said = ListAnswer(target, name, f"{name}.example", answer, meaning=meaning)
        for _ in range(3):
            with store.writing():
                change = store.listings.take(said, office.now)
                if change is not None:
                    store.alarms.write(change.listing.id, change.turn, "line", "body", office.now)
                    return
            office.now += timedelta(hours=7)


def test_a_listing_opens_a_case_of_the_site_and_its_end_moves_it(tmp_path: Path) -> None:
    office = Office(tmp_path)
    listing(office, "192.0.2.1", "sbl", ListAnswerKind.LISTED)
    listing(office, "192.0.2.2", "sbl", ListAnswerKind.LISTED)
    listing(office, "192.0.2.1", "backscatterer", ListAnswerKind.LISTED, "sent backscatter")
    office.work()
    assert troubles(office) == ["backscatter site new", "own-address-listed site new"]
    listing(office, "192.0.2.1", "sbl", ListAnswerKind.NOT_LISTED)
    office.work()
    # The other address is listed still, and so is the first by another list.
    assert "own-address-listed site new" in troubles(office)
    listing(office, "192.0.2.2", "sbl", ListAnswerKind.NOT_LISTED)
    listing(office, "192.0.2.1", "backscatterer", ListAnswerKind.NOT_LISTED)
    office.work()
    assert "own-address-listed site resolved" in troubles(office)


def test_a_growing_queue_opens_a_case_once_an_hour_and_a_normal_one_ends_it(tmp_path: Path) -> None:
    office = Office(tmp_path)
    grows = [Finding("queue-growth", 2.0, "from 10 to 900", NOW), Finding("bounced", 9.0, "many", NOW)]
    assert [one.rule for one in queue_troubles(grows)] == ["queue-growth"]
    for minute in range(3):
        tell_of_queue(office.store, office.site, grows, NOW + timedelta(minutes=minute))
    office.work()
    assert (office.case.trouble, office.case.evidence_count) == (Trouble.QUEUE_GROWING, 1)
    assert office.place() == "new: look"
    assert len(office.calls()) == 1
    tell_of_queue(office.store, office.site, [], NOW + timedelta(minutes=5))
    tell_of_queue(office.store, office.site, [], NOW + timedelta(minutes=6))
    assert office.place() == "resolved: watch"


def test_the_end_of_a_block_by_time_is_no_word_of_a_person(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.theft()
    assert office.place() == "waiting: owner"
    automatic.expire(office.store, office.book, office.now + timedelta(days=40))
    office.work()
    assert office.place() == "waiting: owner"
    assert ROSA in office.calls()[0]
