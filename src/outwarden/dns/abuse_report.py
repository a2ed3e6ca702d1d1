"""The report to whoever answers for a target: XARF version 4 for programs, and a letter for people.

It says only what the evidence shows: log lines, or the header of a message as our own server received it.  A message's
body is left out, and recipients are hidden, in the letter and in the XARF part alike.  What is required and not known
is named in ``missing``, with where to get it; such a report must not be sent.

Known limit: a recipient that is written in a form that we do not know, as in a bounce address, stays visible.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import msgspec

XARF_VERSION = "4.2.0"
"""The schema of March 2026, type messaging/spam."""
LONGEST_EVIDENCE = 1_000_000
"""Bytes; XARF allows five times as much, and one incident needs less."""

HIDDEN = "[hidden]"
_SHOWN_LINES = 40
_SHOWN_WIDTH = 400
_MOST_RECIPIENTS = 1_000

# RFC 5322 section 2.2 allows more in a field's name; a time stamp must not look like one.
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}:")
_TRACE = re.compile(r"received", re.IGNORECASE)
_TO_FIELDS = frozenset(
    "to cc bcc delivered-to x-original-to envelope-to apparently-to resent-to resent-cc x-rcpt-to x-envelope-to".split()
)
_RECIPIENT = re.compile(
    r"(?:\b(?:orig_)?to=<?|\brcpt=<?|[ \t](?:=>|->|\*\*|==|for)[ \t]<?)([^\s<>@,;]++@[^\s<>,;:]++)",
    re.IGNORECASE,
)
_NOT_IN_MAILBOX = r"\s<>@,;:\"()"
# It begins where a word begins, so that a long run of letters is looked at once.
_MAILBOX = re.compile(rf"(?<![^{_NOT_IN_MAILBOX}])[^{_NOT_IN_MAILBOX}]++@[^{_NOT_IN_MAILBOX}]++")
_SENDER = re.compile(r"\bfrom=<([^<>\s@]{1,64}+@[^<>\s@]{1,255}+)>")
_RETURN_PATH = re.compile(r"\s*<?([^<>\s@]{1,64}+@[^<>\s@]{1,255}+)>?\s*")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)")


class MalformedEvidence(ValueError):
    """The file is neither log lines nor a message."""


class Reporter(msgspec.Struct, frozen=True):
    """Who reports, in XARF's words: organisation, a mailbox that is read, and its domain."""

    org: str
    contact: str
    domain: str


class Evidence(NamedTuple):
    """Evidence with its recipients hidden.  ``is_message``: the header of one; else log lines."""

    text: str
    is_message: bool
    names_target: bool
    occurred_at: datetime | None
    envelope_sender: str | None
    source_port: int | None


class Report(msgspec.Struct, frozen=True):
    """``xarf`` is the document, without what is ``missing``; ``subject`` and ``text`` are the letter around it."""

    subject: str
    text: str
    xarf: dict[str, object]
    missing: tuple[str, ...]


def read_evidence(content: bytes, target: str) -> Evidence:
    """Read log lines, or a message with its header, that are to prove something of ``target``.

    Raises ``MalformedEvidence``.
    """
    if len(content) > LONGEST_EVIDENCE:
        raise MalformedEvidence(f"more than {LONGEST_EVIDENCE // 1_000_000} MB; give only the lines of one incident")
    lines = [line.rstrip("\r") for line in content.decode("utf-8", "replace").strip().split("\n")]
    if lines == [""]:
        raise MalformedEvidence("nothing in it; give log lines, or a message as it was received")
    # mbox and some servers put a line of their own before the header.
    if lines[0].startswith("From "):
        lines.pop(0)
    is_message = bool(lines) and _FIELD.match(lines[0]) is not None
    fields = _fields(lines) if is_message else []
    text = _hidden(fields) if is_message else _hidden_lines(lines)
    port = re.search(rf"\[{re.escape(target)}\]:(\d{{1,5}})(?!\d)", text)
    return Evidence(
        text=text,
        is_message=is_message,
        names_target=_names(text, target),
        occurred_at=_received_at(fields) if is_message else _first_stamp(lines),
        envelope_sender=_return_path(fields) if is_message else _first_sender(lines),
        source_port=int(port[1]) if port and 0 < int(port[1]) < 1 << 16 else None,
    )


def write_report(target: str, reporter: Reporter | None, evidence: Evidence | None, report_id: str) -> Report:
    """Return the report of one incident.  ``report_id`` is a UUID of version 4."""
    xarf: dict[str, object] = {"xarf_version": XARF_VERSION, "report_id": report_id}
    if evidence is not None and evidence.occurred_at is not None:
        xarf["timestamp"] = evidence.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if reporter is not None:
        xarf["reporter"] = xarf["sender"] = msgspec.to_builtins(reporter)
    xarf |= {"source_identifier": target, "category": "messaging", "type": "spam", "protocol": "smtp"}
    if evidence is not None:
        xarf |= _proof(evidence)
    subject = f"Abuse report: spam from {target}"
    return Report(
        subject, _letter(target, reporter, evidence, report_id), xarf, tuple(_missing(reporter, evidence, target))
    )


def _proof(evidence: Evidence) -> dict[str, object]:
    payload = evidence.text.encode("utf-8", "replace")
    item = {
        "content_type": "text/rfc822-headers" if evidence.is_message else "text/plain",
        "description": "Header of the message as we received it" if evidence.is_message else "Lines of our mail log",
        "payload": base64.b64encode(payload).decode("ascii"),
        "hash": f"sha256:{hashlib.sha256(payload).hexdigest()}",
        "size": len(payload),
    }
    known = {"smtp_from": evidence.envelope_sender, "source_port": evidence.source_port}
    return {key: value for key, value in known.items() if value is not None} | {"evidence": [item]}


def _missing(reporter: Reporter | None, evidence: Evidence | None, target: str) -> Iterable[str]:
    if reporter is None:
        yield "who reports: put [reporter] with org and contact into the file that --contacts names"
    if evidence is None:
        yield "evidence: name log lines, or a message as it was received, with --evidence FILE"
        return
    if not evidence.names_target:
        yield f"proof: {target} is nowhere in the evidence"
    if evidence.occurred_at is None:
        yield "when it happened: the evidence has no time with year and time zone, such as 2026-11-24T09:10:11+01:00"
    if evidence.envelope_sender is None:
        yield "the envelope sender: no Return-Path in the message, or no from=<...> in the log lines"
    if evidence.source_port is None:
        yield "the client's port, by which a NAT finds the culprit (Postfix: smtpd_client_port_logging = yes)"


def _letter(target: str, reporter: Reporter | None, evidence: Evidence | None, report_id: str) -> str:
    lines = ["Dear abuse team,", "", f"we received spam from {target}, for which you are the contact that we found."]
    if evidence is not None:
        if evidence.occurred_at is not None:
            lines.append(f"It happened at {evidence.occurred_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC.")
        shown = [line[:_SHOWN_WIDTH].expandtabs(4) for line in evidence.text.split("\n")]
        what = "The header of the message" if evidence.is_message else "Our log"
        lines += ["", f"{what} (recipients are hidden):", "", *(f"  {line}" for line in shown[:_SHOWN_LINES])]
        if len(shown) > _SHOWN_LINES:
            lines.append(f"  ({len(shown) - _SHOWN_LINES} more lines are in the attachment)")
    lines += [
        "",
        "Please look for the cause: a stolen password, an infected machine, an open proxy or an abused web form.",
    ]
    lines.append("The attachment says the same in XARF version 4, for programs.")
    if reporter is not None:
        lines += ["", f"{reporter.org}", f"Answers to {reporter.contact} are read."]
    return "\n".join([*lines, "", f"Report {report_id}", ""])


# --- evidence ------------------------------------------------------------------------------------


def _fields(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Return the header's fields, by name in lower case, each with its lines; it ends at the first empty line."""
    fields: list[tuple[str, list[str]]] = []
    for line in lines:
        if not line.strip():
            break
        if line[0] in " \t" and fields:
            fields[-1][1].append(line)
        elif _FIELD.match(line):
            fields.append((line.partition(":")[0].lower(), [line]))
    return fields


def _hidden(fields: list[tuple[str, list[str]]]) -> str:
    """Return the header with its recipients hidden: their own fields whole, elsewhere their local parts."""
    recipients: dict[str, None] = {}
    for name, lines in fields:
        found = _MAILBOX.findall(" ".join(lines)) if name in _TO_FIELDS else []
        if _TRACE.fullmatch(name):
            found = _RECIPIENT.findall(" ".join(lines))
        recipients |= dict.fromkeys(found)
    shown = ([f"{lines[0].partition(':')[0]}: {HIDDEN}"] if name in _TO_FIELDS else lines for name, lines in fields)
    return _without("\n".join(line for lines in shown for line in lines), recipients)


def _hidden_lines(lines: list[str]) -> str:
    text = "\n".join(lines)
    return _without(text, dict.fromkeys(_RECIPIENT.findall(text)))


def _without(text: str, recipients: Iterable[str]) -> str:
    known = {recipient.lower().rstrip(".>") for recipient in recipients}
    if len(known) > _MOST_RECIPIENTS:
        raise MalformedEvidence(f"more than {_MOST_RECIPIENTS} recipients; give only the lines of one incident")
    return _MAILBOX.sub(lambda found: _covered(found[0], known), text)


def _covered(mailbox: str, recipients: set[str]) -> str:
    # In a log a mailbox may be glued to its key, as in ``to=rosa@isp.example``.
    key, mark, bare = mailbox.rpartition("=")
    if mailbox.lower().rstrip(".") in recipients:
        return f"{HIDDEN}@{mailbox.rpartition('@')[2]}"
    if mark and bare.lower().rstrip(".") in recipients:
        return f"{key}={HIDDEN}@{mailbox.rpartition('@')[2]}"
    return mailbox


def _names(text: str, target: str) -> bool:
    """Return whether the target stands in the text as a whole: 192.0.2.1 is not in 192.0.2.10.

    A name below a domain names it.
    """
    is_address = ":" in target or target.replace(".", "").isdigit()
    before = "[0-9a-z.:-]" if is_address else "[0-9a-z-]"
    after = "[0-9a-z:-]" if ":" in target else "[0-9a-z-]"
    whole = rf"(?<!{before}){re.escape(target)}(?!{after}|\.[0-9a-z])"
    return re.search(whole, text.lower()) is not None


def _received_at(fields: list[tuple[str, list[str]]]) -> datetime | None:
    """Return when our own server, whose trace field is the first, took the message in."""
    for name, lines in fields:
        if name == "received":
            try:
                at = parsedate_to_datetime(" ".join(lines).rpartition(";")[2].strip())
            except (ValueError, TypeError, IndexError, OverflowError):
                return None
            return at if at.tzinfo is not None else None
    return None


def _first_stamp(lines: list[str]) -> datetime | None:
    for line in lines:
        if found := _STAMP.search(line[:_SHOWN_WIDTH]):
            try:
                return datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3]}")
            except ValueError:
                continue
    return None


def _return_path(fields: list[tuple[str, list[str]]]) -> str | None:
    for name, lines in fields:
        if name == "return-path" and (found := _RETURN_PATH.fullmatch(" ".join(lines).partition(":")[2])):
            return found[1]
    return None


def _first_sender(lines: list[str]) -> str | None:
    found = (_SENDER.search(line) for line in lines)
    return next((each[1] for each in found if each), None)
