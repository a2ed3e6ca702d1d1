"""Whatever is done and taken back in whatever order, killed wherever: in the end everything is as it was."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.service.containment.test_containing import EVERY, NOW, Killed, Machine, case, request

from outwarden.cases.response_requests import Answer as Said
from outwarden.cases.response_requests import ResponseName

_DEEDS = (*EVERY, ResponseName.END_SERVICE, ResponseName.UNLOCK_ACCOUNT)
_TURNS = st.lists(
    st.tuples(st.sampled_from(_DEEDS), st.sampled_from(["1", "2"]), st.booleans(), st.integers(-3, 12)), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(_TURNS)
def test_in_the_end_everything_is_as_it_was(turns: list[tuple[ResponseName, str, bool, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder) / "store.db")
        before = machine.state()
        for response, number, takes_back, killed_at in turns:
            machine.fuse.at, machine.fuse.calls = killed_at, 0
            asked = request(response, number=number)
            with suppress(Killed):
                if takes_back:
                    machine.responder().undo(asked, case(), NOW)
                else:
                    machine.responder().carry_out(asked, case(), NOW)
        machine.fuse.at = -1
        for number in ("2", "1"):
            for response in _DEEDS:
                undone = machine.responder().undo(request(response, number=number), case(), NOW)
                assert undone.answer is Said.UNDONE, undone
        assert machine.state() == before
