"""What blocklists answered, in words and as JSON: the same for ``blocklists`` and ``check``.

Three answers have three words.  "No" is only said by a list that was asked and is believed.
"""

from collections.abc import Sequence
from typing import Any

import click

from outwarden.cli.rendering import hanging, plain
from outwarden.detection.diagnosis import TargetListings
from outwarden.events import Cause, Diagnosis, ListAnswer, ListAnswerKind, Verdict

COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": "yellow", "info": "green"}
"""By severity, on a terminal."""
_PAGE_COLOURS = {"critical": Verdict.YES, "high": Verdict.YES, "info": Verdict.NO}
_ORDER = (ListAnswerKind.LISTED, ListAnswerKind.COULD_NOT_ASK, ListAnswerKind.NOT_LISTED)


def answer_line(answer: ListAnswer, target_width: int) -> str:
    """Return one answer as it is shown when it comes in."""
    if answer.answer is ListAnswerKind.LISTED:
        said = click.style("LISTED", fg="red", bold=True) + f"      {' '.join(answer.codes)}  {plain(answer.meaning)}"
    elif answer.answer is ListAnswerKind.COULD_NOT_ASK:
        said = click.style("not asked", fg="yellow") + f"   {answer.why_not}: {plain(answer.meaning)}"
    else:
        said = f"not listed  {plain(answer.meaning)}"
    return f"{plain(answer.target).ljust(target_width)}  {plain(answer.list):22}  {said}".rstrip()


def cell(answer: ListAnswer | None) -> str:
    """Return one answer in a few letters; nothing where the list is not for such targets."""
    if answer is None:
        return ""
    if answer.answer is ListAnswerKind.LISTED:
        more = f" +{len(answer.codes) - 1}" if len(answer.codes) > 1 else ""
        return (answer.codes[0] if answer.codes else "listed") + more
    return f"? {answer.why_not}" if answer.answer is ListAnswerKind.COULD_NOT_ASK else "no"


def sentence(listings: TargetListings) -> str:
    """Return the diagnosis in one sentence."""
    return f"{plain(listings.target)}: {plain(listings.diagnosis.verdict)}"


def in_colour(diagnosis: Diagnosis, text: str) -> str:
    """Return the text in the colour of the diagnosis."""
    colour = "magenta" if diagnosis.cause is Cause.COULD_NOT_ASK else COLOURS[diagnosis.severity]
    return click.style(text, fg=colour, bold=True)


def page_colour(diagnosis: Diagnosis) -> str:
    """Return the word of ``Verdict`` whose colour a page takes."""
    unknown = diagnosis.cause in (Cause.COULD_NOT_ASK, Cause.UNCLEAR)
    return (Verdict.UNKNOWN if unknown else _PAGE_COLOURS.get(diagnosis.severity, Verdict.MAYBE)).value


def diagnosis_lines(diagnosis: Diagnosis, width: int) -> list[str]:
    """Return the reasons and the numbered next steps."""
    lines = [row for reason in diagnosis.because for row in hanging("  ", plain(reason), width)]
    if diagnosis.next_steps:
        lines.append("What to do next")
    for place, step in enumerate(diagnosis.next_steps, start=1):
        lines += hanging(f"{place:3}. ", plain(step), width)
    return lines


def listed_first(answers: Sequence[ListAnswer]) -> list[ListAnswer]:
    """Return answers, listings first, then what could not be asked, major lists before others."""
    return sorted(answers, key=lambda one: (_ORDER.index(one.answer), not one.major, one.list))


def listings_document(listings: TargetListings) -> dict[str, Any]:
    """Return one target's line of ``blocklists --json``."""
    return {
        "target": listings.target,
        "results": [
            {
                "list": answer.list,
                "zone": answer.zone,
                "answer": answer.answer,
                "codes": answer.codes,
                "meaning": answer.meaning,
                "scope": answer.scope,
                "text": answer.text,
                "why_not": answer.why_not,
                "signals": answer.signals,
                "delisting": answer.delisting,
            }
            for answer in listed_first(listings.answers)
        ],
        "diagnosis": listings.diagnosis,
    }
