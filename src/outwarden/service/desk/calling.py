"""What a person is told who is called about a case: what is asked, why, and what to type."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from outwarden.cases.case import Case
from outwarden.cases.going_on import waits_for
from outwarden.cases.playbook import Playbook
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseRequest
from outwarden.service.automatic.words import one_line
from outwarden.store.case_tries import CaseTry

_MOST = 300


def asked_line(request: ResponseRequest) -> str:
    """Return the alarm about what waits for a yes."""
    return f"{request.case}: {_named(request)} waits for your yes"


def asked_body(request: ResponseRequest, would: str) -> str:
    """Return it in full; ``would`` is what would be done."""
    lines = [f"{RESPONSES[request.response].words}: {_named(request)}", one_line(request.reason, _MOST), ""]
    lines += [f"It would be done so: {would}", ""] if would else []
    only = f" --only {request.response.value}"
    lines += [
        f"To do it:     outwarden case step {request.case} yes{only}",
        f"Not to:       outwarden case step {request.case} no{only}",
        f"To see more:  outwarden case show {request.case}",
    ]
    return "\n".join(lines) + "\n"


def capped_line(request: ResponseRequest) -> str:
    """Return the alarm about what is more than may be done by itself within an hour."""
    return f"{request.response.value}: no more is done by itself this hour; {request.case} and others wait for you"


def capped_body(request: ResponseRequest) -> str:
    """Return it in full."""
    return (
        f"{capped_line(request)}\n\nSo many at once is a common cause, or a mistake of ours: look first.\n\n"
        f"To see them:  outwarden case list\n"
        f"To do one:    outwarden case step {request.case} yes\n"
    )


def failed_line(request: ResponseRequest, fault: str) -> str:
    """Return the alarm about what could not be done."""
    return f"{request.case}: {_named(request)} could not be done: {one_line(fault, _MOST)}"


def failed_body(request: ResponseRequest, fault: str) -> str:
    """Return it in full."""
    return f"{failed_line(request, fault)}\n\nTo see more:  outwarden case show {request.case}\n"


def many_line(case: Case) -> str:
    """Return the alarm for all cases that call a person beyond those of which each is told."""
    return f"more cases call for you than are told one by one within an hour, {case.id} among them"


def many_body(case: Case) -> str:
    """Return it in full."""
    return f"{many_line(case)}\n\nTo see them:  outwarden case list\nTo see one:   outwarden case show {case.id}\n"


def case_line(case: Case, playbook: Playbook) -> str:
    """Return the alarm with which a case calls a person."""
    whom = shlex.quote(one_line(case.subscriber, 100))
    return f"{case.id}: {playbook.title}, {whom}: {one_line(playbook.states[case.place].about, 150)}"


def case_body(case: Case, playbook: Playbook, request: ResponseRequest, tries: Sequence[CaseTry]) -> str:
    """Return it in full: what was done, what was not, and what the case waits for."""
    lines = [case_line(case, playbook), "", one_line(request.reason, _MOST), ""]
    words = {trial.request.id: trial.words for trial in tries}
    for one in case.asked:
        if one.request != request.id:
            subject = f" {one_line(one.subject.name, 100)}" if one.subject else ""
            said = words.get(one.request, "")
            mark = {Answer.DONE: "done", Answer.WAITING: "waits"}.get(one.answer, one.answer.value.upper())
            lines.append(f"  {mark:8}  {one.response.value}{subject}" + (f": {one_line(said, 150)}" if said else ""))
    lines += ["", f"It waits for: {waits_for(case, playbook)}", f"To see more:  outwarden case show {case.id}"]
    return "\n".join(lines) + "\n"


def _named(request: ResponseRequest) -> str:
    return request.response.value + (f" {one_line(request.subject.name, 100)}" if request.subject else "")
