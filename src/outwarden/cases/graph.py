"""A playbook as a graph: its states in layers, the longest way first, and the text of it for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from outwarden.cases.case import CaseState
from outwarden.cases.playbook import Playbook, Step, Transition


def in_layers(playbook: Playbook) -> list[str]:
    """Return the states in the order in which they are drawn.

    By the layer, which is the number of transitions from the beginning, then by the order of the file; what is resolved
    and closed comes last.
    """
    layer = {playbook.begins: 0}
    ahead = [playbook.begins]
    while ahead:
        place = ahead.pop(0)
        for way in playbook.ways_out(place):
            if way.to not in layer:
                layer[way.to] = layer[place] + 1
                ahead.append(way.to)
    last = {CaseState.RESOLVED: 1, CaseState.CLOSED: 2}
    names = list(playbook.states)

    def place_of(name: str) -> tuple[int, int, int]:
        return last.get(playbook.states[name].case, 0), layer.get(name, len(names)), names.index(name)

    return sorted(names, key=place_of)


def text_graph(playbook: Playbook, width: int = 80) -> list[str]:
    """Return the graph as lines of at most ``width`` characters (60 at least)."""
    room = max(width, 60)
    lines = [f"{playbook.title} ({playbook.name})", *wrap(playbook.about, room), ""]
    for name in in_layers(playbook):
        state = playbook.states[name]
        head = f"[{name}]  {state.case.value}" + ("  begins here" if name == playbook.begins else "")
        lines += [head, *wrap(state.about, room, initial_indent="  | ", subsequent_indent="  | ")]
        for step in state.steps:
            lines += wrap(step_words(step), room, initial_indent="  * ", subsequent_indent="      ")
        for way in state.transitions:
            lines += list(_way(way, room))
        lines.append("")
    if playbook.everywhere:
        lines.append("From every state that is not closed:")
        for way in playbook.everywhere:
            lines += list(_way(way, room))
    return lines


def step_words(step: Step) -> str:
    """Return a step in words: what is asked, until when, and if."""
    parts = [step.ask.value]
    if step.expires:
        parts.append("until a person ends it" if step.expires == "by-hand" else f"for {step.expires}")
    conditions = [f"if {one.value}" for one in step.when] + [f"unless {one.value}" for one in step.unless]
    return " ".join(parts) + (f" ({', '.join(conditions)})" if conditions else "")


def _way(way: Transition, room: int) -> Iterator[str]:
    guard = f" ({way.guard})" if way.guard else ""
    marked = f"  marks {way.mark.value}" if way.mark else ""
    yield from wrap(f"{way.label}{guard} -> {way.to}{marked}", room, initial_indent="  > ", subsequent_indent="      ")
