"""From the steps of a state to requests: one for each step and subject, with its reason and end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from outwarden.cases.case import Asked, Case
from outwarden.cases.conditions import Circumstances, all_hold
from outwarden.cases.playbook import Playbook, Step
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseRequest
from outwarden.cases.subscriber import Subject, SubjectKind


class AskedFor(NamedTuple):
    """What is asked for on entering a state, and in words.

    A step that has nobody to be about, or to reach, is noted as failed at once: it makes no request.
    """

    requests: tuple[ResponseRequest, ...]
    asked: tuple[Asked, ...]
    words: tuple[str, ...]


def asked_for(case: Case, playbook: Playbook, around: Circumstances, because: str, now: datetime) -> AskedFor:
    """Return what the state asks for that the case has just entered."""
    requests, asked, words = [], [], []
    state = playbook.states[case.place]
    reason = f"{playbook.title}: {state.about}"
    for step in state.steps:
        if not all_hold(step.when, step.unless, case, around):
            continue
        response = RESPONSES[step.ask]
        for subject in _subjects(step, case, around):
            name = f"{case.id}/{case.place}/{case.visit}/{step.ask.value}/{subject.name if subject else ''}"
            confirm = step.ask in around.group.confirm
            until = None if step.lasts_for is None else now + step.lasts_for
            requests.append(
                ResponseRequest(
                    name, case.id, step.ask, subject, _parameters(step, case, around), step.why or reason, because,
                    now, until, confirm,
                )
            )  # fmt: skip
            asked.append(Asked(name, step.ask, subject, case.place, case.visit, now, expires_at=until))
            words.append(_words(step, subject, until, confirm))
        if not asked or asked[-1].response is not step.ask:
            nobody = f"{case.id}/{case.place}/{case.visit}/{step.ask.value}/"
            asked.append(Asked(nobody, step.ask, None, case.place, case.visit, now, Answer.FAILED, answered_at=now))
            missing = response.reaches.value + " contact" if response.reaches else _kind(response.about)
            words.append(f"{step.ask.value}: cannot be asked for, as no {missing} is known")
    return AskedFor(tuple(requests), tuple(asked), tuple(words))


def answer(case: Case, request: str, said: Answer, now: datetime) -> Case:
    """Return the case with the answer to one of its requests."""
    asked = tuple(replace(one, answer=said, answered_at=now) if one.request == request else one for one in case.asked)
    return replace(case, asked=asked)


def _subjects(step: Step, case: Case, around: Circumstances) -> Iterator[Subject | None]:
    response = RESPONSES[step.ask]
    if response.reaches is not None:
        closed = case.named(SubjectKind.ACCOUNT)
        if around.subscriber.reached_as(response.reaches, closed) is not None:
            yield None
    elif response.about is None:
        yield None
    else:
        yield from (subject for subject in case.subjects if subject.kind is response.about)


def _parameters(step: Step, case: Case, around: Circumstances) -> dict[str, str]:
    response = RESPONSES[step.ask]
    if response.reaches is None:
        return step.parameters
    contact = around.subscriber.reached_as(response.reaches, case.named(SubjectKind.ACCOUNT))
    to = {} if contact is None else {"to": contact.address, "channel": contact.channel}
    return {**step.parameters, **to, "language": around.subscriber.language}


def _words(step: Step, subject: Subject | None, until: datetime | None, confirm: bool) -> str:
    text = step.ask.value + (f" {subject.name}" if subject else "")
    if until is not None:
        text += f" until {until:%Y-%m-%d %H:%M} UTC"
    return text + (", once a person says yes" if confirm else "")


def _kind(kind: SubjectKind | None) -> str:
    return kind.value.replace("-", " ") if kind else "subject"
