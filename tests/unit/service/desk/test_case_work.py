"""A turn of the desk in the live service: in order, and whatever fails in it stops neither the desk nor the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.service.automatic.deeds import MINUTE, NOW, decided
from tests.unit.service.desk.office import Office

from outwarden.events import Action, Finding
from outwarden.service.automatic import automatic
from outwarden.service.desk.case_work import CaseWork
from outwarden.store.database import StoreUnusable


class Service:
    """What the live service gives to the desk."""

    def __init__(self, office: Office) -> None:
        self.office, self.findings = office, [Finding("queue-growth", 2.0, "from 10 to 900", NOW)]
        self.breaks: Exception | None = None
        self.said: list[str] = []
        self.work = CaseWork(
            office.site, office.errands, self.store, self.acting, lambda: self.findings, lambda: office.now,
            self.said.append,
        )  # fmt: skip

    async def store(self, deed: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401
        if self.breaks is not None:
            raise self.breaks
        return deed(self.office.store, *arguments)

    async def acting(self, deed: Callable[[], bool]) -> bool:
        return deed()

    def turn(self) -> None:
        asyncio.run(self.work.turn())


def test_one_turn_hears_decides_and_carries_out(tmp_path: Path) -> None:
    office = Office(tmp_path)
    service = Service(office)
    automatic.begin(office.store, office.book, office.acting, decided(Action.BLOCK), NOW)
    service.turn()
    found = {one.trouble.value: one.place for one in office.store.cases.all_cases()}
    assert found["queue-growing"] == "look"
    assert "reset-password" in office.world.deeds()
    assert any("queue-growing, site: new in look" in line for line in service.said)


def test_the_queue_is_normal_after_three_quiet_looks(tmp_path: Path) -> None:
    office = Office(tmp_path)
    service = Service(office)
    service.turn()
    service.findings = []
    for quiet in range(1, 4):
        assert office.place() == "new: look", quiet
        office.now += MINUTE
        service.turn()
    assert office.place() == "resolved: watch"


def test_what_fails_is_said_once_and_goes_on(tmp_path: Path) -> None:
    office = Office(tmp_path)
    service = Service(office)
    for fault, words in (
        (StoreUnusable("the disk is full"), "the disk is full"),
        (KeyError("playbook"), "a fault of Outwarden itself (KeyError: 'playbook'); report it"),
    ):
        service.breaks = fault
        service.turn()
        service.turn()
        assert service.work.fault == words
        assert service.said.count(f"cases wait: {words}") == 1
    service.breaks = None
    service.turn()
    assert service.work.fault == ""
