"""Each stream as a table: what it sees in a window, and the points it gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.detection import ledger
from outwarden.detection.streams import bounces_returned, networks, refused, same_message, unknown_recipients, volume
from outwarden.detection.window import Window
from outwarden.events import Standing, Stream


def window(**counts: int | float) -> Window:
    """An hour of an account with a long, clean record, but for what is given."""
    made = Window(1000, 1000)
    made.hours_before = 40
    made.networks_before = 1
    for name, count in counts.items():
        setattr(made, name, count)
    return made


def about(points: float) -> object:
    return pytest.approx(points, abs=0.05)


@pytest.mark.parametrize(
    ("name", "counts", "expected"),
    [
        ("nothing", {}, 0.0),
        ("under the floor", {"busiest_new": 6, "new": 6}, 0.0),
        ("twice the floor", {"busiest_new": 12, "new": 12}, 1.0),
        ("462 against a record of 2", {"busiest_new": 462, "new": 462, "record_new": 2}, 4.0),
        ("as much as ever", {"busiest_new": 60, "new": 60, "record_new": 60, "record_new_day": 60}, 0.0),
        ("four times its record", {"busiest_new": 240, "new": 240, "record_new": 60, "record_new_day": 240}, 2.0),
        ("a slow day", {"busiest_new": 6, "new": 96}, 3.0),
        ("all recipients known", {"busiest_recipients": 160}, 3.0),
        ("no record to measure against", {"busiest_new": 462, "new": 462, "hours_before": 2}, 3.0),
    ],
)
def test_volume(name: str, counts: dict[str, int], expected: float) -> None:
    assert volume.points(window(**counts)) == about(expected)


@pytest.mark.parametrize(
    ("name", "counts", "lowest", "highest"),
    [
        ("no answers yet", {}, 0.0, 0.0),
        ("54 clean", {"results": 54}, -2.0, -1.5),
        ("one unknown of four must not weigh much", {"results": 4, "unknown": 1}, 0.3, 1.2),
        ("two of two", {"results": 2, "unknown": 2}, 1.0, 1.4),
        ("4 of 54 with a clean record", {"results": 54, "unknown": 4, "results_before": 90}, 1.0, 3.0),
        ("4 of 54, as ever", {"results": 54, "unknown": 4, "results_before": 200, "unknown_before": 15}, -2, 0),
        ("16 of 100", {"results": 100, "unknown": 16, "results_before": 50}, 4.0, 5.0),
        ("a newsletter: 50 of 5,000", {"results": 5000, "unknown": 50}, -2.0, -2.0),
        ("a third of a thousand", {"results": 1000, "unknown": 333, "results_before": 50}, 5.0, 5.0),
    ],
)
def test_unknown_recipients(name: str, counts: dict[str, int], lowest: float, highest: float) -> None:
    assert lowest - 0.05 <= unknown_recipients.points(window(**counts)) <= highest + 0.05


@pytest.mark.parametrize(
    ("name", "counts", "lowest", "highest"),
    [
        ("no answers yet", {}, 0.0, 0.0),
        ("54 clean", {"results": 54}, -1.0, -0.5),
        ("one of ten", {"results": 10, "refused": 1}, 0.3, 1.0),
        ("14 of 100", {"results": 100, "refused": 14}, 3.0, 3.0),
        ("14 of 100 while everybody is listed", {"results": 100, "refused": 14, "others_refused_rate": 0.2}, -1.0, 0.0),
        ("fewer than all others", {"results": 3000, "refused": 6, "others_refused_rate": 0.2}, -1.0, 0.0),
    ],
)
def test_refused(name: str, counts: dict[str, int | float], lowest: float, highest: float) -> None:
    assert lowest - 0.05 <= refused.points(window(**counts)) <= highest + 0.05


@pytest.mark.parametrize(
    ("name", "counts", "expected"),
    [
        ("none", {}, 0.0),
        ("one", {"new_networks": 1}, 0.7),
        ("three: a traveller", {"new_networks": 3}, 2.4),
        ("nine: a botnet", {"new_networks": 9}, 5.0),
        ("nothing above its own record", {"new_networks": 3, "network_record": 3}, 0.0),
        ("nothing above what others do", {"new_networks": 3, "others_networks": 4}, 0.0),
        ("three on a traveller's record", {"new_networks": 3, "networks_before": 16}, 0.6),
        ("forty are more than travel", {"new_networks": 40, "networks_before": 16}, 5.0),
        ("the first one ever is no news", {"new_networks": 1, "networks_before": 0}, 0.0),
        ("eight of an account without a past", {"new_networks": 8, "networks_before": 0}, 3.0),
    ],
)
def test_networks(name: str, counts: dict[str, int], expected: float) -> None:
    assert networks.points(window(**counts)) == about(expected)


@pytest.mark.parametrize(
    ("name", "counts", "expected"),
    [
        ("a few alike", {"same": 9, "new": 10}, 0.0),
        ("forty to new recipients", {"same": 40, "new": 40}, 2.0),
        ("forty to the same mailbox", {"same": 40, "new": 1}, 0.0),
        ("as many as ever", {"same": 40, "new": 40, "record_same": 40}, 0.0),
    ],
)
def test_same_message(name: str, counts: dict[str, int], expected: float) -> None:
    assert same_message.points(window(**counts)) == about(expected)


@pytest.mark.parametrize(
    ("name", "counts", "lowest", "highest"),
    [
        ("none", {"messages": 50}, 0.0, 0.0),
        ("each seen refused already", {"messages": 50, "returned": 12, "bounced": 12}, 0.0, 0.0),
        ("two of fifty", {"messages": 50, "returned": 2}, 0.0, 0.7),
        ("fifteen of fifty", {"messages": 50, "returned": 15}, 2.0, 2.0),
    ],
)
def test_bounces_returned(name: str, counts: dict[str, int], lowest: float, highest: float) -> None:
    assert lowest <= bounces_returned.points(window(**counts)) <= highest


@pytest.mark.parametrize(
    ("name", "points", "expected"),
    [
        ("nothing", {}, Standing.NORMAL),
        ("loud", {Stream.VOLUME: 4.0}, Standing.WATCHED),
        ("loud and alike", {Stream.VOLUME: 4.0, Stream.SAME_MESSAGE: 2.0}, Standing.WATCHED),
        ("loud, little proof", {Stream.VOLUME: 4.0, Stream.REFUSED: 2.2}, Standing.WATCHED),
        ("loud, one strong proof", {Stream.VOLUME: 4.0, Stream.REFUSED: 3.0}, Standing.HELD),
        ("two proofs", {Stream.UNKNOWN_RECIPIENTS: 3.0, Stream.REFUSED: 2.0}, Standing.HELD),
        ("nine, one proof", {Stream.VOLUME: 4.0, Stream.UNKNOWN_RECIPIENTS: 5.0}, Standing.HELD),
        ("two proofs of nine", {Stream.VOLUME: 2.5, Stream.NETWORK: 5.0, Stream.REFUSED: 1.5}, Standing.BLOCKED),
    ],
)
def test_standing(name: str, points: dict[Stream, float], expected: Standing) -> None:
    assert ledger.standing(points) is expected


COUNTS = st.integers(0, 3000)


@given(
    made=st.fixed_dictionaries(
        {name: COUNTS for name in ("new", "results", "same", "messages", "returned", "record_new", "record_new_day")}
    ),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    before=st.tuples(COUNTS, st.floats(0, 1), st.floats(0, 1)),
    others=st.tuples(st.floats(0.02, 0.1), st.floats(0.001, 0.9)),
    networks_seen=st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 20)),
)
def test_every_stream_stays_within_its_caps_and_the_quick_bound(
    made: dict[str, int],
    shares: tuple[float, float, float],
    before: tuple[int, float, float],
    others: tuple[float, float],
    networks_seen: tuple[int, int, int],
) -> None:
    results = made["results"]
    # A day holds its busiest hour.
    made["record_new_day"] += made["record_new"]
    one = window(
        **made,
        busiest_new=int(made["new"] * shares[0]),
        unknown=int(results * shares[1]),
        refused=int(results * (1 - shares[1]) * shares[2]),
        results_before=before[0],
        unknown_before=int(before[0] * before[1]),
        refused_before=int(before[0] * (1 - before[1]) * before[2]),
        others_unknown_rate=others[0],
        others_refused_rate=others[1],
        new_networks=networks_seen[0],
        networks_before=networks_seen[1],
        others_networks=networks_seen[2],
    )
    assert 0 <= volume.points(one) <= 4
    assert -2 <= unknown_recipients.points(one) <= 5
    assert -1 <= refused.points(one) <= 3
    assert 0 <= networks.points(one) <= 5
    assert 0 <= same_message.points(one) <= 2
    assert 0 <= bounces_returned.points(one) <= 2
    bound = ledger.at_most(
        volume.at_most(one.new, one.recipients, one.record_new, one.record_recipients),
        one.unknown,
        one.refused,
        one.returned - one.bounced,
        one.same,
        one.new_networks,
    )
    assert ledger.total(one) <= bound + 1e-9
