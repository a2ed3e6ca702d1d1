"""Grades for the reading of bounces: our answers beside those that the public collections of messages carry.

A message counts where exactly its recipients are found.  Codes that a source invented are not graded.  The causes of
one source are its own words; here each stands for the groups of our classes that it may mean.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from outwarden.sources.reports import Action, BouncedRecipient, Kind, Report, read_report

COLLECTIONS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "messages"

_GROUPS = {
    "recipient": "unknown-recipient recipient-disabled recipient-domain-invalid",
    "full or size": "mailbox-full message-too-large",
    "reputation, policy": "address-blocklisted domain-blocklisted reputation authentication-failed no-reverse-dns "
    "policy sender-rejected relay-denied greylisted",
    "content": "content-refused malware url-blocklisted malformed",
    "rate": "rate-limited",
    "network, time": "network remote-error local-error",
    "ambiguous": "unclassified",
}
_GROUP_OF = {name: group for group, names in _GROUPS.items() for name in names.split()}
_MEANS = {
    "recipient": "userunknown hostunknown suspend hasmoved filtered notaccept networkerror",
    "full or size": "mailboxfull mesgtoobig exceedlimit systemfull",
    "reputation, policy": "rejected blocked authfailure requireptr securityerror policyviolation norelaying "
    "badreputation notcompliantrfc failedstarttls syntaxerror filtered contenterror",
    "content": "spamdetected contenterror virusdetected policyviolation notcompliantrfc mesgtoobig",
    "rate": "toomanyconn speeding ratelimited",
    "network, time": "expired networkerror systemerror mailererror notaccept systemfull failedstarttls syntaxerror",
    "ambiguous": "undefined onhold filtered",
}
_CONTAINERS = ("eml", "xml", "zip")
_KIND_OF_FEEDBACK = {"auth-failure": Kind.DMARC_FAILURE, "xarf": Kind.ABUSE_REPORT}
_KIND_OF_LABEL = {"feedback": Kind.COMPLAINT, "vacation": Kind.AUTO_REPLY}


class Grades:
    """How many were asked and right, by source and figure; ``wrong`` names the files."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        self.wrong: dict[str, list[str]] = defaultdict(list)

    def count(self, source: str, figure: str, right: bool, file: str) -> None:
        """Count one answer."""
        cell = self.counts[source, figure]
        cell[0] += right
        cell[1] += 1
        if not right:
            self.wrong[figure].append(file)

    def share(self, figure: str) -> float:
        """Return the share of right answers over all sources."""
        cells = [cell for (_, name), cell in self.counts.items() if name == figure]
        return sum(cell[0] for cell in cells) / sum(cell[1] for cell in cells)


class Labelled(NamedTuple):
    """A message that somebody has labelled, and what it is read as."""

    row: dict[str, Any]
    report: Report


def rows_of(table: str) -> list[dict[str, Any]]:
    """Return the rows of one of the tables that lie beside the collections."""
    rows = [json.loads(line) for line in (COLLECTIONS / table).read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if (COLLECTIONS / row["file"]).is_file()]


def labelled() -> Iterator[Labelled]:
    """Yield the labelled bounces and what is no bounce among them."""
    for row in rows_of("truth_bounce.jsonl"):
        if row["labelled"]:
            yield Labelled(row, read_report((COLLECTIONS / row["file"]).read_bytes()))


def grade() -> Grades:
    """Return the grades over all that is labelled."""
    grades = Grades()
    for row, report in labelled():
        _grade_one(grades, row, report)
    for file, kind in kinds_by_file().items():
        found = read_report((COLLECTIONS / file).read_bytes()).kind
        grades.count(file.partition("/")[0], "kind", found is kind, file)
    return grades


def kinds_by_file() -> dict[str, Kind]:
    """Return the kind of each message of which some table, or the folder it lies in, tells it."""
    kinds: dict[str, Kind] = {}
    for row in rows_of("truth_bounce.jsonl"):
        labels = {one.get("kind") for one in row["recipients"]}
        if labels & set(_KIND_OF_LABEL):
            kinds[row["file"]] = next(_KIND_OF_LABEL[label] for label in labels if label in _KIND_OF_LABEL)
        elif row["labelled"] and (row["recipients"] or row.get("is_bounce")):
            kinds[row["file"]] = Kind.BOUNCE
    for table, kind in (
        ("truth_feeds.jsonl", Kind.ABUSE_REPORT),
        ("truth_dmarc.jsonl", Kind.DMARC_AGGREGATE),
        ("truth_tlsrpt.jsonl", Kind.TLS_REPORT),
    ):
        # One table lists what else lies in a folder, too: its licence, its data files.
        kinds |= {row["file"]: kind for row in rows_of(table) if row.get("container", "eml") in _CONTAINERS}
    for row in rows_of("truth_arf.jsonl"):
        if row["format"] == "arf" and row.get("feedback_type"):
            kinds[row["file"]] = _KIND_OF_FEEDBACK.get(row["feedback_type"], Kind.COMPLAINT)
    for sample in (
        *COLLECTIONS.glob("xarf-spec/samples/*/*.json"),
        *COLLECTIONS.glob("xarf-abusix/samples/*/*/*.json"),
    ):
        kinds[str(sample.relative_to(COLLECTIONS))] = Kind.ABUSE_REPORT
    return kinds


def found_recipients(report: Report) -> dict[str, BouncedRecipient]:
    """Return those that a report says it did not reach, by their address in lower case."""
    recipients = report.bounce.recipients if report.bounce else ()
    return {one.address.lower(): one for one in recipients if one.action in (Action.FAILED, Action.DELAYED)}


def _grade_one(grades: Grades, row: dict[str, Any], report: Report) -> None:
    source, file, wanted = row["corpus"], row["file"], row["recipients"]
    found = found_recipients(report)
    if {one.get("kind") for one in wanted} & {"feedback", "vacation", "delivered"} or row.get("is_bounce") == 0:
        grades.count(source, "no false recipient", not found, file)
        return
    if not wanted:
        return
    names = [{_bare(one["recipient"]), *map(_bare, one.get("recipient_alt") or ())} for one in wanted]
    exact = len(found) == len({frozenset(one) for one in names}) and all(
        any(name in found for name in one) for one in names
    )
    grades.count(source, "recipients exact", exact, file)
    if not exact:
        return
    for one, allowed in zip(wanted, names, strict=True):
        _grade_recipient(grades, source, file, one, next(found[name] for name in allowed if name in found))
    message_id = wanted[0].get("messageid")
    if message_id and report.bounce:
        told = (report.bounce.original.message_id or "").strip("<>")
        grades.count(source, "Message-ID", told == message_id, file)


def _grade_recipient(grades: Grades, source: str, file: str, wanted: dict[str, Any], found: BouncedRecipient) -> None:
    if "temporary" in wanted:
        grades.count(source, "permanent", found.permanent is not wanted["temporary"], file)
    status = "" if wanted.get("dsn_synthetic") else wanted.get("dsn", "")
    if status:
        grades.count(source, "status exact", found.status in (status, wanted.get("dsn_alt")), file)
    first = (wanted.get("replycode") or status)[:1]
    if first:
        grades.count(source, "permanent", found.permanent is (first == "5"), file)
    reason = wanted.get("reason")
    if reason:
        group = _GROUP_OF[found.refusal_class or "unclassified"]
        reasons = {reason, wanted.get("reason_alt")}
        grades.count(source, "class", not reasons.isdisjoint(_MEANS[group].split()), file)


def _bare(address: str) -> str:
    return address.lower().strip("<>")
