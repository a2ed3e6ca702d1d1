"""A playbook as text of 80 columns and as a picture."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from outwarden.cases.drawing import drawn
from outwarden.cases.graph import in_layers, text_graph
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.troubles import Trouble

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("trouble", Trouble)
def test_the_text_fits_80_columns_and_has_every_state_step_and_way(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    lines = text_graph(playbook)
    assert max(map(len, lines)) <= 80
    whole = " ".join(" ".join(lines).split())
    for name, state in playbook.states.items():
        assert f"[{name}] {state.case.value}" in whole
        assert all(step.ask.value in whole for step in state.steps)
        assert all(way.label in whole and f"-> {way.to}" in whole for way in state.transitions)


@pytest.mark.parametrize("trouble", Trouble)
def test_the_picture_has_a_title_a_description_and_an_arc_for_each_way(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    picture = ElementTree.fromstring(drawn(playbook))  # noqa: S314 (our own)
    assert picture.get("role") == "img" and picture.get("aria-labelledby") == "title desc"
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None and title.text == f"Playbook: {playbook.title}"
    assert description is not None and description.text is not None
    assert all(name in description.text for name in playbook.states)
    arcs = [path for path in picture.iter(f"{SVG}path") if path.get("class") == "arc"]
    assert len(arcs) == sum(len(state.transitions) for state in playbook.states.values())
    boxes = [box for box in picture.iter(f"{SVG}rect") if (box.get("class") or "").startswith("box")]
    tops = [(int(box.get("y", 0)), int(box.get("height", 0))) for box in boxes]
    assert all(top + height < below for (top, height), (below, _) in pairwise(tops))


@pytest.mark.parametrize("trouble", Trouble)
def test_it_begins_at_the_top_and_ends_closed(trouble: Trouble) -> None:
    playbook = shipped_playbooks()[trouble]
    order = in_layers(playbook)
    assert sorted(order) == sorted(playbook.states)
    assert (order[0], playbook.states[order[-1]].case.value) == (playbook.begins, "closed")
