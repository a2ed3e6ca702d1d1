"""What a content filter wrote into the header: spam or not, believed only of the headers that the site names.

Anybody can write such a header, so by themselves they say nothing; a site that names one must let its filter
remove what comes from outside.  Which headers there are, and what they say, stands in ``filter_headers.toml``.
"""

import re
import tomllib
from collections.abc import Collection
from functools import cache
from importlib.resources import files

from outwarden.sources.message.header import Fields

_LONGEST_LOOKED_AT = 400


@cache
def _readings() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    table = tomllib.loads(files(__package__).joinpath("filter_headers.toml").read_text(encoding="utf-8"))
    return {
        name.lower(): (re.compile(entry["spam"], re.IGNORECASE), re.compile(entry["clean"], re.IGNORECASE))
        for name, entry in table.items()
    }


def known_filter_headers() -> frozenset[str]:
    """Return the headers that can be trusted, in lower case."""
    return frozenset(_readings())


def filter_verdict(fields: Fields, trusted: Collection[str]) -> bool | None:
    """Return whether a trusted header calls the message spam; None where none says anything.

    Of several that disagree, the one that says spam counts: only a filter gains by that.
    """
    verdict: bool | None = None
    for name in trusted:
        reading = _readings().get(name.lower())
        for value in fields.get(name.lower().encode(), ()) if reading else ():
            text = value[:_LONGEST_LOOKED_AT].decode("latin-1")
            if reading and reading[0].match(text):
                return True
            if reading and reading[1].match(text):
                verdict = False
    return verdict
