"""A policy as TOML: what it may say, and what is said where it is wrong."""

import pytest

from outwarden.detection.limits import Most
from outwarden.detection.live import SHIPPED_POLICIES, Judge, Policy, PolicyError, read_policy, shipped_policy
from outwarden.detection.live.ledger import STREAM_NAMES
from outwarden.events import Action


def test_nothing_said_is_the_default() -> None:
    assert read_policy("") == Policy()


def test_everything_can_be_said() -> None:
    policy = read_policy(
        """
        hold_as = "defer"
        thresholds = { hold = 4, block = 8.5 }

        [quantity]
        floor = 40
        [probation]
        days = 0        # none
        [repeats]
        points = 1
        [streams]
        off = ["same-text", "volume"]
        [bulk."news@shop.example"]
        networks = ["AS64500"]
        link_domains = ["shop.example"]
        [bulk.alerts]
        [limits.account]
        recipients = { minute = 60, hour = 500, day = 3000 }
        [limits.client.messages]
        minute = 20
        """
    )
    assert policy.hold_as is Action.DEFER
    assert (policy.thresholds.hold, policy.thresholds.block) == (4.0, 8.5)
    assert policy.quantity.floor == 40
    assert policy.quantity.times_record == Policy().quantity.times_record
    assert policy.streams.off == {"same-text", "volume"}
    assert policy.bulk["news@shop.example"].networks == {"AS64500"}
    assert policy.bulk["alerts"].link_domains == frozenset()
    assert policy.limits.account.recipients == Most(60, 500, 3000)
    assert policy.limits.client.messages == Most(minute=20)
    assert policy.limits.bulk == Policy().limits.bulk
    assert Judge(policy).policy is policy


@pytest.mark.parametrize("name", SHIPPED_POLICIES)
def test_shipped_policies_load_and_can_be_extended(name: str) -> None:
    shipped = shipped_policy(name)
    assert 0 < shipped.thresholds.hold < shipped.thresholds.block
    assert read_policy(f'extends = "{name}"') == shipped
    changed = read_policy(f'extends = "{name}"\n[thresholds]\nblock = 12')
    assert changed.thresholds.block == 12.0
    assert changed.thresholds.hold == shipped.thresholds.hold
    assert changed.quantity == shipped.quantity


def test_an_unknown_shipped_policy() -> None:
    with pytest.raises(PolicyError, match="no policy 'compny' is shipped; did you mean 'company'"):
        shipped_policy("compny")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("no TOML", "\n[thresholds\n", "(at line 2, column 12)"),
        ("a key twice", "hold_as = 'hold'\nhold_as = 'hold'", "Cannot overwrite a value (at"),
        (
            "unknown base",
            "\nextends = 'univercity'",
            "line 2: extends: no policy 'univercity' is shipped; did you mean",
        ),
        (
            "base of another kind",
            "extends = 3",
            "line 1: extends: no policy 3 is shipped; there are company,",
        ),
        ("unknown table", "[probing]\n[treshold]\n", "line 2: unknown key 'treshold'; did you mean 'thresholds'?"),
        ("unknown key", "[thresholds]\n\n  hodl = 4", "line 3: unknown key 'hodl'; did you mean 'hold'?"),
        ("nothing like it", "[streams]\nxyz = 1", "line 2: unknown key 'xyz'; there are off"),
        (
            "a key of another table",
            "[quantity]\nfloor = 3\n[probing]\nfloor = 3",
            "line 4: unknown key 'floor'; did you mean 'trust_floor'?",
        ),
        ("a dotted key", "thresholds.hodl = 4", "line 1: unknown key 'hodl'; did you mean 'hold'?"),
        ("an inline table", "\nthresholds = { hodl = 4 }", "line 2: unknown key 'hodl'; did you mean 'hold'?"),
        ("a quoted key", '[thresholds]\n"hodl" = 4', "line 2: unknown key 'hodl'; did you mean 'hold'?"),
        ("of a bulk account", "[bulk.a]\n[bulk.'b@c']\nnetwork = []", "line 3: unknown key 'network'; did you mean"),
        ("text for a number", "[thresholds]\nhold = 'five'", "line 2: thresholds.hold: Expected `float`, got `str`"),
        (
            "the second of two tables with the key",
            "[probation]\ndays = 7\n[repeats]\ndays = 'x'",
            "line 4: repeats.days: Expected `float`, got `str`",
        ),
        ("a number for a table", "probing = 3", "line 1: probing: Expected `object`, got `int`"),
        ("half a recipient", "[quantity]\nfloor = 3.5", "line 2: quantity.floor: Expected `int`, got `float`"),
        ("text for a list", "[streams]\noff = 'volume'", "line 2: streams.off: Expected `array`, got `str`"),
        ("a number in a list", "[streams]\noff = [3]", "line 2: streams.off: Expected `str`, got `int`"),
        (
            "of the second bulk account",
            "[bulk.a]\nnetworks = []\n[bulk.b]\nnetworks = 'AS1'",
            "line 4: bulk.b.networks: Expected `array`, got `str`",
        ),
        (
            "no network",
            "[bulk.a]\nnetworks = ['AS1']\n[bulk.b]\nnetworks = ['192.0.2.1/24']",
            "line 4: bulk.b.networks: '192.0.2.1/24' is neither a network, such as '192.0.2.0/24', nor an AS, such as",
        ),
        (
            "unknown stream",
            "[streams]\noff = ['volum']",
            "line 2: streams.off: no stream 'volum'; did you mean 'volume'?",
        ),
        (
            "no stream at all",
            "[streams]\noff = ['']",
            f"line 2: streams.off: no stream ''; there are {STREAM_NAMES[0]},",
        ),
        ("a limit of nobody", "[limits.acount]", "line 1: unknown key 'acount'; did you mean 'account'?"),
        (
            "a limit of nothing",
            "[limits.script]\nunknown_recipients = {hour = 3}",
            "line 2: unknown key 'unknown_recipients'; did you mean 'new_recipients'?",
        ),
        (
            "a limit within no time",
            "[limits.bulk]\nmessages = {week = 3}",
            "line 2: unknown key 'week'; there are minute, hour, day",
        ),
        (
            "a limit of none at all",
            "[limits.bulk]\nmessages = {hour = 0}",
            "line 2: limits.bulk.messages.hour: Expected `int` >= 1",
        ),
        ("a limit that is a number", "[limits.domain]\nmessages = 3", "line 2: limits.domain.messages: Expected"),
        ("hold as what", "\nhold_as = 'held'", "line 2: hold_as: 'held' is neither 'hold' nor 'defer'"),
        ("hold as accept", "hold_as = 'accept'", "line 1: hold_as: 'accept' is neither 'hold' nor 'defer'"),
        ("hold as a number", "hold_as = 3", "line 1: hold_as: 3 is neither 'hold' nor 'defer'"),
        ("hold above block", "[thresholds]\nhold = 10", "line 2: thresholds: hold (10) must lie above 0 and not above"),
        ("block below hold", "[thresholds]\nblock = 3", "line 2: thresholds: hold (6) must lie above 0 and not above"),
        ("hold of nothing", "[thresholds]\nhold = 0", "line 2: thresholds: hold (0) must lie above 0"),
        ("no probe", "[probing]\nfirst = 0", "line 2: probing.first: 0 is less than 1"),
        ("no floor", "[quantity]\nfloor = 0", "line 2: quantity.floor: 0 is less than 1"),
        ("negative", "[repeats]\npoints = -0.5", "line 2: repeats.points: -0.5 is less than 0"),
        ("not a number", "[probation]\npoints = nan", "line 2: probation.points: nan is less than 0"),
    ],
)
def test_what_is_wrong_is_named(name: str, text: str, expected: str) -> None:
    with pytest.raises(PolicyError) as error:
        read_policy(text)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("stream", STREAM_NAMES)
def test_every_stream_can_be_switched_off(stream: str) -> None:
    assert read_policy(f"[streams]\noff = ['{stream}']").streams.off == {stream}
