"""A playbook as an SVG picture: one box for each state, one arc for each transition; readable in print and aloud.

States stand one below the other in layers.  Arcs downwards run on the right, arcs upwards on the left, each in a lane
of its own where it would meet another; each begins at the line of the box that says what it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from outwarden.cases.case import CaseState
from outwarden.cases.graph import in_layers, step_words
from outwarden.cases.playbook import Playbook

_LINE, _PAD, _GAP = 18, 10, 26
_LANE, _LETTER = 14, 7.9
_LEAST_WIDTH, _MOST_LETTERS = 320, 78
_DASHES = {CaseState.NEW: "", CaseState.IN_PROGRESS: "", CaseState.WAITING: "6 3", CaseState.RESOLVED: "2 3"}
# The state is told by words and by the box's edge, so that nothing is lost in black and white.
_STYLE = (
    "text{font:13px ui-monospace,monospace;fill:#111}.name{font-weight:bold}.way{fill:#333}"
    ".box{fill:#fff;stroke:#111}.closed{stroke-width:3}.arc{fill:none;stroke:#444}"
)


class _Row(NamedTuple):
    words: str
    kind: str
    to: str = ""


class _Box(NamedTuple):
    name: str
    top: int
    rows: tuple[_Row, ...]

    @property
    def height(self) -> int:
        return 2 * _PAD + _LINE * len(self.rows)

    @property
    def port(self) -> int:
        """Where arcs come in: beside the name."""
        return self.top + _PAD + _LINE // 2


class _Arc(NamedTuple):
    begin: int
    end: int
    to: str

    @property
    def span(self) -> tuple[int, int]:
        return min(self.begin, self.end), max(self.begin, self.end)


def drawn(playbook: Playbook) -> str:
    """Return the picture as an SVG document."""
    boxes = _boxes(playbook)
    longest = max(len(row.words) for box in boxes.values() for row in box.rows)
    width = max(_LEAST_WIDTH, int(longest * _LETTER) + 2 * _PAD)
    arcs = [
        _Arc(box.top + _PAD + _LINE * number + _LINE // 2, boxes[row.to].port, row.to)
        for box in boxes.values()
        for number, row in enumerate(box.rows)
        if row.to
    ]
    down, up = _lanes(arc for arc in arcs if arc.end > arc.begin), _lanes(arc for arc in arcs if arc.end <= arc.begin)
    left = 20 + _LANE * (1 + max((lane for _, lane in up), default=0))
    right = 20 + _LANE * (1 + max((lane for _, lane in down), default=0))
    last = list(boxes.values())[-1]
    whole, height = left + width + right, last.top + last.height + _GAP
    parts = [_head(playbook, whole, height)]
    parts += [_arc(arc, left + width, lane, 1) for arc, lane in down]
    parts += [_arc(arc, left, lane, -1) for arc, lane in up]
    parts += [_box(playbook, box, left, width) for box in boxes.values()]
    return "\n".join([*parts, "</svg>", ""])


def _boxes(playbook: Playbook) -> dict[str, _Box]:
    boxes: dict[str, _Box] = {}
    top = _GAP + _LINE
    for name in in_layers(playbook):
        box = _Box(name, top, tuple(_rows(playbook, name)))
        boxes[name] = box
        top += box.height + _GAP
    return boxes


def _rows(playbook: Playbook, name: str) -> Iterable[_Row]:
    state = playbook.states[name]
    begins = ", begins here" if name == playbook.begins else ""
    yield _Row(f"{name}: {state.case.value}{begins}", "name")
    for step in state.steps:
        yield _Row(_cut(f"* {step_words(step)}"), "step")
    for way in state.transitions:
        guard = f" ({way.guard})" if way.guard else ""
        yield _Row(_cut(f"> {way.label}{guard} : {way.to}"), "way", way.to)


def _lanes(arcs: Iterable[_Arc]) -> list[tuple[_Arc, int]]:
    """Give each arc the innermost lane in which it meets no other; those with the same end may share one."""
    lanes: list[list[_Arc]] = []
    found = []
    for arc in sorted(arcs, key=lambda one: (one.span[1] - one.span[0], one.begin)):
        for number, lane in enumerate(lanes):
            if all(one.to == arc.to or one.span[1] < arc.span[0] or arc.span[1] < one.span[0] for one in lane):
                lane.append(arc)
                found.append((arc, number))
                break
        else:
            lanes.append([arc])
            found.append((arc, len(lanes) - 1))
    return found


def _head(playbook: Playbook, width: int, height: int) -> str:
    said = f"{playbook.about} It begins in {playbook.begins}. " + " ".join(
        f"{name} ({state.case.value}): "
        + (", ".join(f"{way.label} to {way.to}" for way in state.transitions) or "the end")
        + "."
        for name, state in playbook.states.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title desc">\n'
        f'<title id="title">Playbook: {escape(playbook.title)}</title>\n<desc id="desc">{escape(said)}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#444"/></marker></defs>\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
        f'<text class="name" x="20" y="{_LINE + 2}">{escape(playbook.title)}</text>'
    )


def _arc(arc: _Arc, edge: int, lane: int, side: int) -> str:
    far = edge + side * _LANE * (lane + 1)
    return (
        f'<path class="arc" marker-end="url(#tip)" d="M{edge} {arc.begin}H{far - side * 6}Q{far} {arc.begin} {far} '
        f"{_toward(arc.begin, arc.end)}V{_toward(arc.end, arc.begin)}Q{far} {arc.end} {far - side * 6} {arc.end}"
        f'H{edge + side}"/>'
    )


def _toward(begin: int, end: int) -> int:
    return begin + (6 if end > begin else -6)


def _box(playbook: Playbook, box: _Box, left: int, width: int) -> str:
    state = playbook.states[box.name].case
    dashes = f' stroke-dasharray="{_DASHES[state]}"' if _DASHES.get(state) else ""
    kind = "box closed" if state is CaseState.CLOSED else "box"
    parts = [f'<rect class="{kind}" x="{left}" y="{box.top}" width="{width}" height="{box.height}" rx="4"{dashes}/>']
    for number, row in enumerate(box.rows):
        y = box.top + _PAD + _LINE * number + 13
        parts.append(f'<text class="{row.kind}" x="{left + _PAD}" y="{y}">{escape(row.words)}</text>')
    return "\n".join(parts)


def _cut(words: str) -> str:
    return words if len(words) <= _MOST_LETTERS else words[: _MOST_LETTERS - 1] + "…"
