"""What a person is told who is called: about whom, why, and what to type."""

import shlex

from outwarden.service.automatic.book import decision_of
from outwarden.service.automatic.in_force import reference
from outwarden.service.automatic.words import one_line
from outwarden.store.responses import Response, ResponseKind, ResponseState

_MOST_FINDINGS = 8
_MOST_TEXT = 300

_MAIL_IS = {
    ResponseKind.HOLD_ACCOUNT: "its mail held",
    ResponseKind.BLOCK_ACCOUNT: "it blocked",
}


def about(response: Response) -> str:
    """Return what the alarm is about, so that there is one for each."""
    return f"response {response.id}"


def line(response: Response) -> str:
    """Return the alarm in one line."""
    wanted, name = _MAIL_IS[response.kind], one_line(response.subject, _MOST_TEXT)
    if response.state is ResponseState.CAPPED:
        return f"{name}: {wanted} is wanted, but no more is done by itself this hour; {reference(response.id)} waits"
    return f"{name}: {wanted} is wanted; {reference(response.id)} waits for you"


def body(response: Response) -> str:
    """Return the alarm in full."""
    decision = decision_of(response)
    called = reference(response.id)
    lines = [one_line(response.reason, _MOST_TEXT), ""]
    if decision is not None:
        lines += [
            f"  {finding.points:+.1f}  {finding.rule}: {one_line(finding.text, _MOST_TEXT)}"
            for finding in decision.findings[:_MOST_FINDINGS]
        ]
        lines += ["", *(f"  {one_line(reason, _MOST_TEXT)}" for reason in decision.because), ""]
    lines += [
        f"To do it:     outwarden account confirm {called}",
        f"Not to:       outwarden account dismiss {called}",
        f"To see more:  outwarden account show {_typed(response)}",
    ]
    return "\n".join(lines) + "\n"


def about_end(response: Response) -> str:
    """Return what the alarm about the end of a block is about."""
    return f"the end of response {response.id}"


def ended_line(response: Response) -> str:
    """Return the alarm about a block whose time is over."""
    name = one_line(response.subject, _MOST_TEXT)
    stood = "held" if response.kind is ResponseKind.HOLD_ACCOUNT else "blocked"
    return f"{name}: no longer {stood}, as nobody renewed {reference(response.id)}; what it held is still on hold"


def ended_body(response: Response) -> str:
    """Return it in full."""
    name = _typed(response)
    return (
        f"{ended_line(response)}\n\n"
        f"To see it:      outwarden queue list --account {name}\n"
        f"To let it go:   outwarden queue release --account {name}\n"
        f"To delete it:   outwarden queue delete --account {name}\n"
        f"To block again: outwarden account block {name}\n"
    )


def failed_line(response: Response, fault: str) -> str:
    """Return the alarm about something in the queue that could not be done."""
    deed = {ResponseKind.QUEUE_RELEASE: "released"}.get(response.kind, "held")
    return (
        f"{one_line(response.subject, _MOST_TEXT)}: its queued mail could not be {deed}: {one_line(fault, _MOST_TEXT)}"
    )


def failed_body(response: Response, fault: str) -> str:
    """Return it in full."""
    return (
        f"{fault}\n\nIt is tried again each minute, as {reference(response.id)}.\n\n"
        f"To see it:  outwarden queue list --account {_typed(response)}\n"
    )


def _typed(response: Response) -> str:
    """Return the account as it may stand in a shell: it may be an envelope sender, which a stranger chose."""
    return shlex.quote(one_line(response.subject, _MOST_TEXT))
