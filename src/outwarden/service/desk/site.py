"""What the settings say about cases: playbooks, policy, subscribers, modes, caps and roles, read and checked at once.

Every mistake is a ``ConfigurationError`` that names the file, the line, the key and the cure, before anything begins.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from outwarden.cases.desk import Desk
from outwarden.cases.going_on import Turn
from outwarden.cases.happening import Happening
from outwarden.cases.playbook import Playbook
from outwarden.cases.playbook_reading import PlaybookError, read_playbook, shipped_playbooks
from outwarden.cases.policy import CasePolicy, CasePolicyError, Role, read_case_policy
from outwarden.cases.response_requests import ResponseName
from outwarden.cases.subscriber import Subscriber, Subscribers
from outwarden.cases.toml_lines import hint
from outwarden.cases.troubles import Trouble
from outwarden.service.desk.own_addresses import own_addresses
from outwarden.service.desk.subscribers_file import SubscribersError, read_subscribers
from outwarden.service.desk.taking_back import take_back_mistaken
from outwarden.service.desk_settings import CaseSettings, Mode
from outwarden.service.settings import Configuration
from outwarden.store.store import Store

_ALWAYS_DONE = frozenset({ResponseName.CALL_PERSON})
"""Nothing is changed by it, and a case that nobody hears of is none."""


class DeskSite(NamedTuple):
    """What cases of this site are judged and carried out by."""

    playbooks: Mapping[Trouble, Playbook]
    subscribers: Subscribers
    policy: CasePolicy
    settings: CaseSettings

    def desk(self, store: Store) -> Desk:
        """Return the desk whose cases are in a store."""
        return _Desk(store, self)

    def mode(self, response: ResponseName) -> Mode:
        """Return whether a response is only said, asked about, or done."""
        return "act" if response in _ALWAYS_DONE else self.settings.modes.get(response.value, self.settings.mode)

    def cap(self, response: ResponseName) -> int | None:
        """Return how often within an hour it is done by itself, None where nobody counts."""
        if response in _ALWAYS_DONE:
            return None
        return self.settings.caps.get(response.value, self.settings.most_per_hour)

    def role(self, uid: int, name: str) -> Role:
        """Return what a user of this machine may do.  Behind root (sudo) the person counts where one is named."""
        found = [role for role, whom in self.settings.roles.items() if _is_among(name, whom)]
        if found:
            return max(map(Role, found), key=list(Role).index)
        return Role.ADMINISTRATOR if uid == 0 else Role.DESK


class _Desk(Desk):
    """A desk that takes back what a mistake led to."""

    def __init__(self, store: Store, site: DeskSite) -> None:
        super().__init__(store.cases, site.playbooks, site.subscribers, site.policy)
        self._store = store

    def hear(self, happening: Happening, now: datetime) -> Turn | None:
        turn = super().hear(happening, now)
        if turn is not None:
            take_back_mistaken(self._store, turn.case, now)
        return turn


def desk_site(configuration: Configuration) -> DeskSite:
    """Return what the settings say about cases.  Raises ``ConfigurationError``."""
    settings = configuration.settings.cases
    policy = _policy(configuration)
    _check_names(configuration, settings)
    subscribers = Subscribers(
        _subscribers(configuration, policy), each_alone=configuration.settings.subscribers.each_alone
    )
    return DeskSite(_playbooks(configuration), subscribers, policy, settings)


def _policy(configuration: Configuration) -> CasePolicy:
    named = configuration.settings.cases.policy
    if not named:
        return CasePolicy()
    try:
        return read_case_policy(Path(named).read_text(encoding="utf-8"))
    except CasePolicyError as fault:
        raise configuration.wrong("cases.policy", f"{named}: {fault}") from None
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
        raise configuration.wrong("cases.policy", f"{named}: {why}; name a file that can be read") from None


def _playbooks(configuration: Configuration) -> dict[Trouble, Playbook]:
    found = dict(shipped_playbooks())
    named = configuration.settings.cases.playbooks
    if not named:
        return found
    folder, own = Path(named), dict[Trouble, Path]()
    if not folder.is_dir():
        raise configuration.wrong("cases.playbooks", f"{named}: no such folder; name the one of your playbooks")
    for file in sorted(folder.glob("*.toml")):
        try:
            playbook = read_playbook(file.read_text(encoding="utf-8"))
        except PlaybookError as fault:
            raise configuration.wrong("cases.playbooks", f"{file}: {fault.mistakes[0]}") from None
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "not UTF-8 text"
            raise configuration.wrong("cases.playbooks", f"{file}: {why}") from None
        other = own.setdefault(playbook.trouble, file)
        if other is not file:
            what = f"{file}: {other.name} is for {playbook.trouble.value} as well; leave one"
            raise configuration.wrong("cases.playbooks", what)
        found[playbook.trouble] = playbook
    return found


def _subscribers(configuration: Configuration, policy: CasePolicy) -> list[Subscriber]:
    named = configuration.settings.subscribers.file
    if not named:
        return []
    try:
        return read_subscribers(Path(named), own_addresses(configuration), policy.groups)
    except SubscribersError as fault:
        raise configuration.wrong("subscribers.file", str(fault)) from None


def _check_names(configuration: Configuration, settings: CaseSettings) -> None:
    responses = [each.value for each in ResponseName]
    for key in ("modes", "caps"):
        for name in getattr(settings, key):
            if name not in responses:
                raise configuration.wrong(f"cases.{key}.{name}", f"no response {name!r}; {hint(name, responses)}")
    for name, most in settings.caps.items():
        if most < 0:
            raise configuration.wrong(f"cases.caps.{name}", f"{most} is too little; write 0 or more")
    roles = [each.value for each in Role]
    for name, whom in settings.roles.items():
        if name not in roles:
            raise configuration.wrong(f"cases.roles.{name}", f"no role {name!r}; {hint(name, roles)}")
        for one in whom:
            if one.startswith("@") and not _group_is_there(one[1:]):
                raise configuration.wrong(f"cases.roles.{name}", f"no group {one[1:]!r} on this machine; make it first")


def _group_is_there(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _is_among(name: str, whom: tuple[str, ...]) -> bool:
    if name in whom:
        return True
    groups = {each[1:] for each in whom if each.startswith("@")}
    if not groups:
        return False
    try:
        ids = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except (KeyError, OSError):
        return False
    for group in groups:
        try:
            if grp.getgrnam(group).gr_gid in ids:
                return True
        except KeyError:
            continue
    return False
