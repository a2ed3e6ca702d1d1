"""Our part in main.cf: put in front of what is there, changed in place, and taken out without a trace."""

import pytest

from outwarden.responses.mail_server import Pauses
from outwarden.responses.postfix_settings import PARAMETERS, names, wanted_settings

UNSET = dict.fromkeys(PARAMETERS, "")
SITE = UNSET | {
    "defer_transports": "hold-me",
    "default_transport": "out:[relay.isp.example]",
    "transport_maps": "hash:/etc/postfix/transport, pcre:{ {/x{2}/ smtp:} }",
    "smtpd_end_of_data_restrictions": "check_policy_service inet:127.0.0.1:10031",
}
UNDO = {"transports": ["smtp", "relay"], "default_transport": ["out:[relay.isp.example]"]}
SERVER = Pauses(whole_server=True, undo=UNDO)
ACCOUNTS = Pauses(accounts={"rosa@isp.example": 7, "jan": 8})
DESTINATIONS = Pauses(destinations=("bigmail.example", "a.example"))
ALL = Pauses(True, ACCOUNTS.accounts, DESTINATIONS.destinations, UNDO)
NONE = Pauses(undo=UNDO)


def test_the_whole_server() -> None:
    assert wanted_settings(SITE, SERVER) == SITE | {
        "defer_transports": "hold-me, smtp, relay, outwarden-paused",
        "default_transport": "outwarden-paused:",
        "relay_transport": "outwarden-paused:",
    }


def test_accounts() -> None:
    assert wanted_settings(SITE, ACCOUNTS) == SITE | {
        "smtpd_end_of_data_restrictions": "check_sasl_access inline:{ { jan = HOLD outwarden pause 8 } "
        "{ rosa@isp.example = HOLD outwarden pause 7 } }, check_policy_service inet:127.0.0.1:10031",
    }


def test_destinations() -> None:
    assert wanted_settings(SITE, DESTINATIONS) == SITE | {
        "defer_transports": "hold-me, outwarden-paused",
        "transport_maps": "inline:{ { a.example = outwarden-paused: } { bigmail.example = outwarden-paused: } }, "
        "hash:/etc/postfix/transport, pcre:{ {/x{2}/ smtp:} }",
    }


@pytest.mark.parametrize("before", [UNSET, SITE], ids=["an empty main.cf", "a site's own settings"])
@pytest.mark.parametrize("first", [SERVER, ACCOUNTS, DESTINATIONS, ALL], ids=["server", "accounts", "both", "all"])
@pytest.mark.parametrize("second", [SERVER, ACCOUNTS, DESTINATIONS, ALL, NONE], ids=["s", "a", "d", "all", "none"])
def test_any_state_leads_to_any_other(before: dict[str, str], first: Pauses, second: Pauses) -> None:
    undo = UNDO if before is SITE else {"transports": ["smtp", "relay"]}
    first, second = _with(first, undo), _with(second, undo)
    between = wanted_settings(before, first)
    assert wanted_settings(between, first) == between
    assert wanted_settings(between, second) == wanted_settings(before, second)
    assert wanted_settings(wanted_settings(between, second), _with(NONE, undo)) == before


def test_a_list_of_main_cf() -> None:
    assert names("smtp,relay\n\tother  last,") == ["smtp", "relay", "other", "last"]


def _with(pauses: Pauses, undo: dict[str, list[str]]) -> Pauses:
    return Pauses(pauses.whole_server, pauses.accounts, pauses.destinations, undo)
