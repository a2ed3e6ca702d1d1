"""The verbs about cases that the control socket answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec

from outwarden.cases.case import Case
from outwarden.cases.desk import NoSuchCase
from outwarden.cases.going_on import Refused
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.server import Answer, Asker
from outwarden.service.desk import case_verbs
from outwarden.service.desk.case_verbs import CaseChange, CaseTold, Change, Person
from outwarden.service.desk.site import DeskSite
from outwarden.store.cases import CaseChangedMeanwhile, Unresolved

_T = TypeVar("_T")


class _StoreThread(Protocol):
    async def run(self, deed: Callable[..., _T], *arguments: object) -> _T: ...

    async def read(self, question: Callable[..., _T], *arguments: object) -> _T: ...


class _List(msgspec.Struct, forbid_unknown_fields=True):
    closed_too: bool = False


class _One(msgspec.Struct, forbid_unknown_fields=True):
    case: str


class CaseAnswers:
    """``by_verb`` is for the control server."""

    def __init__(self, site: DeskSite, store: _StoreThread, clock: Callable[[], datetime]) -> None:
        self._site, self._store, self._clock = site, store, clock

    def by_verb(self) -> dict[str, Answer]:
        """Return who answers which verb."""
        return {
            "case.list": Answer(self.list),
            "case.unresolved": Answer(self.unresolved),
            "case.show": Answer(self.show),
            "case.change": Answer(self.change, changes=True),
        }

    async def list(self, arguments: Mapping[str, Any], _asker: Asker) -> tuple[Case, ...]:
        """Return the cases."""
        return tuple(await self._store.read(case_verbs.cases, _asked(_List, arguments).closed_too))

    async def unresolved(self, _arguments: Mapping[str, Any], _asker: Asker) -> tuple[Unresolved, ...]:
        """Return the unresolved tray."""
        return tuple(await self._store.read(case_verbs.unresolved))

    async def show(self, arguments: Mapping[str, Any], _asker: Asker) -> CaseTold:
        """Return one case with all that is known of it."""
        try:
            return await self._store.read(case_verbs.one_case, self._site, _asked(_One, arguments).case)
        except NoSuchCase as fault:
            raise Fault(FaultKind.NOT_FOUND, str(fault)) from None

    async def change(self, arguments: Mapping[str, Any], asker: Asker) -> CaseChange:
        """Do what a person wants of a case."""
        wanted = _asked(Change, arguments)
        who = Person(asker.name, self._site.role(asker.uid, asker.name))
        try:
            return await self._store.run(case_verbs.change, self._site, wanted, who, self._clock())
        except NoSuchCase as fault:
            raise Fault(FaultKind.NOT_FOUND, str(fault)) from None
        except Refused as fault:
            raise Fault(FaultKind.NOT_ALLOWED, str(fault)) from None
        except CaseChangedMeanwhile as fault:
            raise Fault(FaultKind.COULD_NOT, str(fault)) from None


def _asked(kind: type[_T], arguments: Mapping[str, Any]) -> _T:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as fault:
        raise Fault(FaultKind.MALFORMED, f"no such question: {fault}") from None
