"""What a bounce says: of each recipient what became of the message, why, and for good or not; and of which message.

The machine-readable part (RFC 3464) decides where there is one, and the words fill in what it leaves out: many
writers put the reply of the remote host in words alone.  Without one the words decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from outwarden.events import Refusal, RefusalClass, domain_of
from outwarden.sources.message.header import Fields, first, mailboxes_of, readable
from outwarden.sources.refusals import classify_cached
from outwarden.sources.reports.addresses import addresses_in, in_house_form, is_a_machine
from outwarden.sources.reports.delivery_status import STATUS, StatusGroup, read_groups
from outwarden.sources.reports.notifications import Notified
from outwarden.sources.reports.opened import Opened, opened, status_in_words
from outwarden.sources.reports.original import original_of, returned_fields
from outwarden.sources.reports.phrases import phrases
from outwarden.sources.reports.records import Action, Bounce, BouncedRecipient, Original
from outwarden.sources.reports.words import Named, named_recipients, reply_for

MOST_RECIPIENTS = 1_000
LONGEST_REPLY = 2_000
_MOST_DEPTH = 3
_LOOKED_AT = 3_000
_CODE = re.compile(r"(?<![\w.:/=+-])[45]\d\d(?=[ -](?:#?[45]\.\d|[A-Za-z<\[('\"-]))")
# qmail's own words after those of the host.
_GAVE_UP = re.compile(
    r"(?:I'm not going to try again; this message has been in the queue too long|Giving up on [\d.]{7,15})\.?"
)
_FOR = re.compile(rb"\bfor[ \t]+<?([^<>\s;@]{1,128}@[^<>\s;@]{1,255})>?")
_GOOD = frozenset((Action.DELIVERED, Action.RELAYED, Action.EXPANDED))


def read_bounce(report: Opened, depth: int = 0) -> Bounce:
    """Return what a message says that is a report about delivery; no recipients where it names none."""
    of_message: Fields = {}
    groups: list[StatusGroup] = []
    for status in report.statuses or status_in_words(report.text):
        fields, found = read_groups(status)
        of_message.update(fields)
        groups += found
    returned = returned_fields(report.returned)
    recipients = _from_groups(groups, report, returned) or _from_words(report, returned)
    if not recipients and depth < _MOST_DEPTH and _is_a_report(returned):
        # Some gateways, and postmasters' own copies, return a bounce in a bounce.
        return read_bounce(opened(report.returned.lstrip(b"\n")), depth + 1)
    recipients = recipients or _last_resort(report, returned)
    original = original_of(report.fields, of_message, returned, report.text)
    return Bounce(tuple(recipients[:MOST_RECIPIENTS]), original)


def returns_a_report(report: Opened) -> bool:
    """Return whether what a message returns is a bounce itself."""
    return _is_a_report(returned_fields(report.returned))


def _is_a_report(returned: Fields) -> bool:
    return b"report" in first(returned, b"content-type")[:30].lower() or any(
        map(is_a_machine, mailboxes_of(first(returned, b"from")))
    )


def _last_resort(report: Opened, returned: Fields) -> list[BouncedRecipient]:
    """Take whom the original went to, where the report does not say whom it means."""
    to = _received_for(returned) or _written_to(returned)
    return [_in_words(to[0], "", report, True)] if len(to) == 1 else []


def _received_for(returned: Fields) -> list[str]:
    for value in returned.get(b"received", ())[:20]:
        found = _FOR.search(value)
        if found:
            return [in_house_form(found[1].decode("utf-8", "replace"))]
    return []


def _from_groups(groups: list[StatusGroup], report: Opened, returned: Fields) -> list[BouncedRecipient]:
    told = [(group.address or _whole(group.name, report, returned), group) for group in groups]
    alone = len(groups) == 1
    beside: dict[str, str] = {}
    if any(not group.diagnostic for group in groups) and report.text:
        beside = {one.address.lower(): one.said for one in named_recipients(report.text, frozenset())}
    found: dict[str, BouncedRecipient] = {}
    for address, group in told:
        if address is None:
            continue
        key = address.lower()
        action = group.action or _action_by(group.status, report)
        said = group.diagnostic
        if not said and action not in _GOOD:
            said = reply_for(address, beside.get(key, ""), report.text, alone)
        before = found.get(key)
        if before is None or (before.action in _GOOD and action not in _GOOD):
            found[key] = _recipient(address, action, group.status, said, group.final_address)
    return list(found.values())


def _whole(name: str | None, report: Opened, returned: Fields) -> str | None:
    """Return the address whose local part alone is told, or the one recipient there can be."""
    known = [*addresses_in(report.text), *_written_to(returned)]
    if name:
        return next((one for one in known if one.partition("@")[0].lower() == name.lower()), name)
    named = named_recipients(report.text, _strangers(report, returned))
    if len(named) == 1:
        return named[0].address
    to = _written_to(returned) or _received_for(returned)
    return to[0] if len(to) == 1 else None


def _from_words(report: Opened, returned: Fields) -> list[BouncedRecipient]:
    senders = mailboxes_of(first(report.fields, b"from"))
    in_words = named_recipients(report.text, _strangers(report, returned), domain_of(senders[0]) if senders else "")
    named = _failed_recipients(report.fields)
    if named:
        said = {one.address.lower(): one.said for one in in_words}
        in_words = [Named(one, said.get(one.lower(), "")) for one in named]
    return [_in_words(one.address, one.said, report, len(in_words) == 1) for one in in_words]


def _in_words(address: str, said: str, report: Opened, alone: bool) -> BouncedRecipient:
    action = Action.DELAYED if is_delayed(report) else Action.FAILED
    return _recipient(address, action, None, reply_for(address, said, report.text, alone), None)


def _failed_recipients(fields: Fields) -> list[str]:
    """Return those of the header that Exim, Google and others write."""
    found = [one for value in fields.get(b"x-failed-recipients", ())[:50] for one in mailboxes_of(value)]
    return list(dict.fromkeys(one for one in found if "@" in one))


def _written_to(returned: Fields) -> list[str]:
    found = [one for value in returned.get(b"to", ())[:5] for one in mailboxes_of(value)]
    return list(dict.fromkeys(one for one in found if "@" in one))


def _strangers(report: Opened, returned: Fields) -> frozenset[str]:
    """Return, in lower case, whom a report names that is not a recipient of the original."""
    names = (b"from", b"to", b"delivered-to", b"return-path", b"reply-to", b"sender")
    mine = _mailboxes(report.fields, names) | _mailboxes(returned, (b"from", b"return-path", b"sender", b"reply-to"))
    return frozenset(mine - {one.lower() for one in _written_to(returned)})


def _mailboxes(fields: Fields, names: Iterable[bytes]) -> set[str]:
    return {one.lower() for name in names for value in fields.get(name, ())[:5] for one in mailboxes_of(value)}


def is_delayed(report: Opened) -> bool:
    """Return whether a report in words says that it is not over yet."""
    subject = readable(first(report.fields, b"subject")).lower()
    if phrases("delayed").search(subject) and not phrases("given-up").search(subject):
        return True
    said = report.text[:_LOOKED_AT].lower()
    return bool(phrases("delayed").search(said)) and not phrases("given-up").search(said)


def _action_by(status: str | None, report: Opened) -> Action:
    if status and status[0] == "2":
        return Action.DELIVERED
    if status:
        # Without the field that the RFC asks for, the first digit has to do.
        return Action.FAILED if status[0] == "5" else Action.DELAYED
    return Action.DELAYED if is_delayed(report) else Action.FAILED


def _recipient(
    address: str, action: Action, status: str | None, said: str, final_address: str | None
) -> BouncedRecipient:
    said = said[:LONGEST_REPLY].strip()
    if action in _GOOD:
        return BouncedRecipient(address, action, status, said or None, final_address=final_address)
    refusal = _understood(said, status)
    told = _status(status, said, refusal)
    return BouncedRecipient(
        address,
        action,
        told,
        said or None,
        refusal.refusal_class,
        # RFC 3464 section 2.3.4: the field is what the reporter made of it, whatever the host's first digit was.
        permanent=action is Action.FAILED and (status[0] == "5" if status else refusal.permanent),
        final_address=final_address,
    )


def _status(status: str | None, said: str, refusal: Refusal) -> str | None:
    """Return the code of the field, or one in the words that says more: a field often says no more than failed."""
    if status is None:
        return refusal.status
    if status.endswith(".0.0") and (found := STATUS.search(said)) and found[1][0] == status[0]:
        return found[1]
    return status


def _understood(said: str, status: str | None) -> Refusal:
    """Return what the words mean: those of the host, without what a reporter put around them, else all of them."""
    whole = _GAVE_UP.sub("", said) or said
    code = _CODE.search(whole)
    told = [whole[code.start() :]] if code and code.start() else []
    told += [whole]
    if status and not code and not status.endswith(".0.0"):
        told += [f"{status} {whole}"]
    refusals = [classify_cached(one) for one in told[:1]]
    for one in told[1:]:
        if refusals[-1].refusal_class is RefusalClass.UNCLASSIFIED:
            refusals.append(classify_cached(one))
    return refusals[-1] if refusals[-1].refusal_class is not RefusalClass.UNCLASSIFIED else refusals[0]


def read_notified(notified: Notified) -> Bounce:
    """Return what a sending service's notification says."""
    recipients = [_recipient(one.address, one.action, one.status, one.said, None) for one in notified.recipients]
    message_id = notified.message_id
    if message_id and not message_id.startswith("<"):
        message_id = f"<{message_id}>"
    return Bounce(tuple(recipients), Original(message_id, notified.sender, notified.subject))
