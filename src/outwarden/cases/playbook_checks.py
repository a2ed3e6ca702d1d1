"""What can be wrong with a playbook that can be read: it must lead somewhere, and never turn by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from outwarden.cases.case import CaseState
from outwarden.cases.playbook import BY_HAND, OF_ITS_OWN, Playbook, Step, Transition, Trigger, span_of
from outwarden.cases.policy import Role
from outwarden.cases.response_requests import RESPONSES, ResponseName
from outwarden.cases.toml_lines import Path, hint

Mistake = tuple[Path, str]
_KINDS = ("on", "after", "quiet", "hand", "api")
_OWN_WORDS = ("resolve", "reopen")


def mistakes(playbook: Playbook) -> Iterator[Mistake]:
    """Yield each mistake with the place of it; those of single lines first, as the others follow from them."""
    single = [*_of_states(playbook), *_of_everywhere(playbook)]
    yield from single
    if not single:
        yield from _unreachable(playbook)
        yield from _dead_ends(playbook)
        yield from _loops(playbook)
        yield from _locks_everybody(playbook)


def _of_states(playbook: Playbook) -> Iterator[Mistake]:
    if playbook.begins not in playbook.states:
        yield ("begins",), f"no state {playbook.begins!r}; {hint(playbook.begins, list(playbook.states))}"
    for wanted in (CaseState.RESOLVED, CaseState.CLOSED):
        if all(state.case is not wanted for state in playbook.states.values()):
            yield ("states",), f"no state has case = {wanted.value!r}; add one, a person's word must lead there"
    for name, state in playbook.states.items():
        here: Path = ("states", name)
        for number, step in enumerate(state.steps):
            yield from _of_step(step, (*here, "steps", number))
        for number, way in enumerate(state.transitions):
            asked = [step.ask for step in state.steps]
            yield from _of_transition(way, playbook, (*here, "transitions", number), asked)
        if state.case is CaseState.CLOSED and (state.steps or state.transitions):
            yield here, "a closed state asks nothing and leads nowhere; take its steps and transitions out"


def _of_everywhere(playbook: Playbook) -> Iterator[Mistake]:
    asked = [step.ask for state in playbook.states.values() for step in state.steps]
    for number, way in enumerate(playbook.everywhere):
        yield from _of_transition(way, playbook, ("everywhere", number), asked)


def _of_step(step: Step, here: Path) -> Iterator[Mistake]:
    lasts = RESPONSES[step.ask].lasts
    if lasts and not step.expires:
        yield here, f'expires is missing, as {step.ask.value} lasts; write for instance expires = "7d"'
    if not lasts and step.expires:
        yield (*here, "expires"), f"{step.ask.value} is over once done; take the key out"
    if step.expires and step.expires != BY_HAND:
        yield from _of_span(step.expires, (*here, "expires"))
    if step.expires == BY_HAND and not RESPONSES[step.ask].shuts_out:
        yield (*here, "expires"), f'{step.ask.value} must end by itself; write for instance "7d"'


def _of_transition(way: Transition, playbook: Playbook, here: Path, asked: list[ResponseName]) -> Iterator[Mistake]:
    if way.to not in playbook.states:
        yield (*here, "to"), f"no state {way.to!r}; {hint(way.to, list(playbook.states))}"
    given = [kind for kind in _KINDS if getattr(way, kind)]
    if len(given) != 1:
        there = f"{' and '.join(given)} given" if given else "it waits for nothing"
        yield here, f"{there}; write exactly one of {', '.join(_KINDS)}"
    for key in ("after", "quiet"):
        if getattr(way, key):
            yield from _of_span(getattr(way, key), (*here, key))
    if way.step is not None and way.on not in (Trigger.STEP_DONE, Trigger.STEP_FAILED):
        yield (*here, "step"), "only with on = 'step-done' or 'step-failed'; take the key out"
    elif way.step is None and way.on is Trigger.STEP_DONE:
        yield here, "step is missing; write whose answer it waits for"
    elif way.step is not None and way.step not in asked:
        yield (*here, "step"), f"no step asks for {way.step.value!r} here; {_asked(asked)}"
    if way.hand in _OWN_WORDS:
        yield (*here, "hand"), f"{way.hand!r} is understood in every playbook; choose another word"
    if way.who is not Role.DESK and not way.hand:
        yield (*here, "who"), "only with hand; take the key out"
    if way.at_most is not None and way.at_most < 1:
        yield (*here, "at_most"), f"{way.at_most} is less than 1; write 1 or more, or take the key out"


def _asked(asked: list[ResponseName]) -> str:
    return f"there are {', '.join(one.value for one in asked)}" if asked else "the state has no steps; take the key out"


def _of_span(text: str, here: Path) -> Iterator[Mistake]:
    try:
        span_of(text)
    except ValueError as fault:
        yield here, str(fault)


def _unreachable(playbook: Playbook) -> Iterator[Mistake]:
    # A person's `resolve` leads to the first resolved state.
    reached = _reached(playbook, [playbook.begins, playbook.first(CaseState.RESOLVED)])
    for name in playbook.states:
        if name not in reached:
            yield ("states", name), "no way leads there; add a transition to it, or take the state out"


def _reached(playbook: Playbook, begins: Iterable[str]) -> set[str]:
    reached, ahead = set(), list(begins)
    while ahead:
        place = ahead.pop()
        if place not in reached:
            reached.add(place)
            ahead += [way.to for way in playbook.ways_out(place)]
    return reached


def _dead_ends(playbook: Playbook) -> Iterator[Mistake]:
    for name, state in playbook.states.items():
        if state.case is CaseState.CLOSED:
            continue
        here: Path = ("states", name)
        closed = {place for place, one in playbook.states.items() if one.case is CaseState.CLOSED}
        # `everywhere` is for what is out of the ordinary: a state must have a way of its own.
        if not any(_always_comes(way) for way in state.transitions):
            yield here, "dead end: neither time nor a person's word always leads out; add after, quiet or hand"
        elif not closed & _reached(playbook, [name]):
            yield here, "dead end: no way leads from here to a closed state; add one"


def _always_comes(way: Transition) -> bool:
    return bool(way.after or way.quiet or way.hand) and not way.when and not way.unless and way.at_most is None


def _loops(playbook: Playbook) -> Iterator[Mistake]:
    """Yield each state that its own steps' answers lead back to, without a limit."""
    told: set[str] = set()
    for name in playbook.states:
        loop = _turns_by_itself(playbook, name)
        if loop and not told & set(loop):
            told |= set(loop)
            path = " > ".join([*loop, name])
            yield ("states", name), f"loop without time or hand: {path}; add after, hand or at_most on the way"


def _turns_by_itself(playbook: Playbook, begin: str) -> tuple[str, ...]:
    ahead: list[tuple[str, ...]] = [(begin,)]
    seen: set[str] = set()
    while ahead:
        path = ahead.pop(0)
        for way in playbook.ways_out(path[-1]):
            if way.on not in OF_ITS_OWN or way.at_most is not None:
                continue
            if way.to == begin:
                return path
            if way.to not in seen:
                seen.add(way.to)
                ahead.append((*path, way.to))
    return ()


def _locks_everybody(playbook: Playbook) -> Iterator[Mistake]:
    """Yield steps that shut the owner out whatever the policy for repeats says."""
    for name, state in playbook.states.items():
        for number, step in enumerate(state.steps):
            asked_by_policy = {"to-lock", "to-end-service", "repeated"} & {one.value for one in step.when}
            on_word = all(way.hand for way in _leading_to(playbook, name)) and name != playbook.begins
            if RESPONSES[step.ask].shuts_out and not asked_by_policy and not on_word:
                message = f"{step.ask.value} would lock everybody; add when = ['to-lock'], or lead here by hand only"
                yield ("states", name, "steps", number), message


def _leading_to(playbook: Playbook, place: str) -> list[Transition]:
    return [way for name in playbook.states for way in playbook.ways_out(name) if way.to == place]
