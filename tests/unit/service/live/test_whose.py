"""Whose message it is that is handed in."""

import pytest

from outwarden.events import AccountKind, Mailbox
from outwarden.filter import Envelope
from outwarden.service.live.whose import Whose, whose

CASES = [
    ("a login", {"login": "Rosa@ISP.example", "client_address": "192.0.2.7"}, ("Rosa@isp.example", AccountKind.LOGIN)),
    ("a login that is no address", {"login": "rosa", "client_address": "203.0.113.7"}, ("rosa", AccountKind.LOGIN)),
    ("a login and the null sender", {"login": "rosa", "sender": "<>"}, ("rosa", AccountKind.LOGIN)),
    ("a local program", {}, ("web@isp.example", AccountKind.LOCAL)),
    ("an application server", {"client_address": "10.0.0.5"}, ("web@isp.example", AccountKind.ADDRESS)),
    ("one on this machine", {"client_address": "127.0.0.1"}, ("web@isp.example", AccountKind.ADDRESS)),
    ("one by IPv6", {"client_address": "fd00::5"}, ("web@isp.example", AccountKind.ADDRESS)),
    ("a stranger", {"client_address": "203.0.113.7"}, None),
    ("a stranger by IPv6", {"client_address": "2001:db8::1"}, None),
    ("our own notification", {"sender": "<>"}, None),
    ("what no client can be", {"client_address": "unknown"}, None),
]


@pytest.mark.parametrize(("what", "told", "expected"), CASES, ids=[case[0] for case in CASES])
def test_whose(what: str, told: dict[str, str], expected: tuple[str, AccountKind] | None) -> None:
    envelope = Envelope(**{"sender": Mailbox("web@ISP.example"), **told})  # type: ignore[arg-type]
    assert whose(envelope) == (None if expected is None else Whose(*expected)), what
