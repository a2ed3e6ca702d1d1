"""What to do now, in the order in which it helps, for somebody woken by an alarm.

Only commands that exist on the machine of the reader today: our own verbs, and those of the mail
server that the text names.  Names from the log are strangers' words, so they are quoted for the shell.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from outwarden.detection.assessment import AccountAssessment, ListingSeen, NextStep
from outwarden.detection.relaying import FORWARDS_SPAM, OPEN_RELAY
from outwarden.events import AccountKind, Finding, Standing, Verdict


def next_steps(
    verdict: Verdict,
    accused: Sequence[AccountAssessment],
    listings: Sequence[ListingSeen],
    server: Sequence[Finding],
) -> tuple[NextStep, ...]:
    """Return the steps for this verdict."""
    steps: list[NextStep] = []
    for account in accused[:3]:
        steps += _about(account)
    if accused:
        steps.append(NextStep("See what is still waiting in the queue, and whose it is.", "outwarden queue top"))
    rules = {finding.rule for finding in server}
    if OPEN_RELAY in rules:
        command = "postconf mynetworks smtpd_relay_restrictions"
        steps.append(NextStep("See whom this server relays for without a login (Postfix).", command))
    if FORWARDS_SPAM in rules:
        steps.append(NextStep("Filter spam before it is forwarded, or keep a copy instead of forwarding it.", None))
    if listings and verdict is not Verdict.NO:
        steps.append(_about_listing(listings[0]))
    if verdict is Verdict.MAYBE and not accused:
        steps.append(NextStep("See who sent most in that time.", "outwarden queue top"))
    if verdict is Verdict.UNKNOWN:
        text = "Give a log of a whole day or more in which mail is handed in and sent on."
        steps.append(NextStep(text, "outwarden check FILE"))
    return tuple(steps)


def _about(account: AccountAssessment) -> list[NextStep]:
    name = quote(account.account)
    if account.kind is AccountKind.LOGIN:
        sure = account.standing is Standing.BLOCKED
        first = f"Change the password of {account.account} now." if sure else f"Ask {account.account} about this mail."
        return [
            NextStep(first, None),
            NextStep("End the sessions that are open: they outlive a new password (Dovecot).", f"doveadm kick {name}"),
            NextStep("Look for forwards and rules that an intruder left (Dovecot).", f"doveadm sieve list -u {name}"),
        ]
    if account.kind is AccountKind.LOCAL:
        return [NextStep(f"Find the script that sends as {account.account}, and stop it before it is cleaned.", None)]
    return [NextStep(f"Cut off the machine that sends as {account.account} until it is clean.", None)]


def _about_listing(listing: ListingSeen) -> NextStep:
    what = listing.address or "this server"
    return NextStep(f"Ask for delisting of {what} at {listing.list} once the cause is fixed, not before.", None)
