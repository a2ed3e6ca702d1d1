"""The settings of Postfix's main.cf by which mail is paused, and our part in them.

- The whole server: every transport that leaves it is named in ``defer_transports``; and because whoever flushes the
  queue (``postqueue -f``, ``sendmail -q``) overrides that, the transports for everything remote are replaced, too.
- A destination: ``transport_maps`` sends it to the same transport.
- An account: ``smtpd_end_of_data_restrictions`` puts what it hands in on hold.

That transport exists only as a name in ``defer_transports``: nothing in master.cf delivers for it, so a flush finds
nobody to give mail to, and mail stays deferred.

Our tables stand in the settings themselves (``inline:``, Postfix 3.0), in front of what was there, so no file can go
missing under a server at work, and taking them out leaves what was there.

Not covered: an entry for a single recipient in the site's own ``transport_maps`` wins over ours for its domain.
"""

import re
from collections.abc import Iterable, Mapping

from outwarden.responses.mail_server import Pauses

_NOBODY = "outwarden-paused"
PAUSED = f"{_NOBODY}:"
"""Where paused mail is sent: a transport of which there is only the name."""

REPLACED = ("default_transport", "relay_transport")
PARAMETERS = ("defer_transports", *REPLACED, "transport_maps", "smtpd_end_of_data_restrictions")

_TABLES = {
    "transport_maps": re.compile(rf"inline:\{{(?: \{{ [^{{}}]* = {PAUSED} \}})+ \}}[\s,]*"),
    "smtpd_end_of_data_restrictions": re.compile(
        r"check_sasl_access\s+inline:\{(?: \{ [^{}]* = HOLD outwarden pause \d+ \})+ \}[\s,]*"
    ),
}


def wanted_settings(current: Mapping[str, str], wanted: Pauses) -> dict[str, str]:
    """Return the value of each, from any state of ours that they may be in; empty is one that is not to be set."""
    return {
        **{name: _replaced(current[name], name, wanted) for name in REPLACED},
        "defer_transports": ", ".join(_deferred(current["defer_transports"], wanted)),
        "transport_maps": _in_front(
            f"inline:{{ {' '.join(f'{{ {domain} = {PAUSED} }}' for domain in sorted(wanted.destinations))} }}",
            bool(wanted.destinations),
            _without_ours("transport_maps", current),
        ),
        "smtpd_end_of_data_restrictions": _in_front(
            f"check_sasl_access inline:{{ {_held(wanted.accounts)} }}",
            bool(wanted.accounts),
            _without_ours("smtpd_end_of_data_restrictions", current),
        ),
    }


def names(value: str) -> list[str]:
    """Return the names in a list as main.cf writes it."""
    return [name for name in re.split(r"[\s,]+", value) if name]


def _held(accounts: Mapping[str, int]) -> str:
    return " ".join(f"{{ {account} = HOLD outwarden pause {accounts[account]} }}" for account in sorted(accounts))


def _deferred(current: str, wanted: Pauses) -> Iterable[str]:
    ours = {_NOBODY, *wanted.undo.get("transports", ())}
    yield from (name for name in names(current) if name not in ours)
    if wanted.whole_server:
        yield from wanted.undo.get("transports", ())
    if wanted.whole_server or wanted.destinations:
        yield _NOBODY


def _replaced(current: str, name: str, wanted: Pauses) -> str:
    if wanted.whole_server:
        return PAUSED
    return "".join(wanted.undo.get(name, ())) if current == PAUSED else current


def _without_ours(parameter: str, current: Mapping[str, str]) -> str:
    return _TABLES[parameter].sub("", current[parameter]).strip(" ,\t\n")


def _in_front(ours: str, needed: bool, theirs: str) -> str:
    return ", ".join(part for part in (ours if needed else "", theirs) if part)
