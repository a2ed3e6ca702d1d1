"""The answer of ``blocklists`` as one page, in the words of the terminal."""

from collections.abc import Sequence
from datetime import datetime

from outwarden.cli.blocklists_report import alike, group_sentence
from outwarden.cli.listing_matrix import matrix
from outwarden.cli.listing_words import page_colour
from outwarden.cli.page_frame import framed
from outwarden.cli.rendering import plain, stamp
from outwarden.detection.diagnosis import TargetListings
from outwarden.detection.diagnosis.rulebook import SEVERITIES

_COLUMNS = 20
_GROUPS = 20


def blocklists_page(results: Sequence[TargetListings], resolver: str, at: datetime, fault: str | None = None) -> str:
    """Return the page as HTML; ``at`` (UTC) is when the lists were asked, ``fault`` what is wrong with the resolver."""
    groups = alike(results)
    worst = max(groups, key=lambda group: SEVERITIES.index(group[0].diagnosis.severity))
    shown = matrix(results, whole=False)
    return framed(
        "blocklists.html",
        verdict=page_colour(worst[0].diagnosis),
        read=[
            f"Asked through the resolver {plain(resolver)} at {stamp(at)}.",
            *([plain(fault)] if fault is not None else []),
            *shown.left_out,
        ],
        caution="A listing may have ended since.",
        word=worst[0].diagnosis.cause.value.upper(),
        sentence=group_sentence(worst, len(results)),
        heads=shown.heads[: _COLUMNS + 1],
        rows=[row[: _COLUMNS + 1] for row in shown.rows],
        more_columns=max(len(shown.heads) - 1 - _COLUMNS, 0),
        groups=[
            {
                "sentence": group_sentence(group, len(results)),
                "because": [plain(reason) for reason in group[0].diagnosis.because],
                "next_steps": [plain(step) for step in group[0].diagnosis.next_steps],
            }
            for group in groups[:_GROUPS]
        ],
        more_groups=max(len(groups) - _GROUPS, 0),
    )
