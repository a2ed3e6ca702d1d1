"""The list of public suffixes: below which names somebody can register one (publicsuffix.org)."""

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def public_suffixes() -> PublicSuffixList:
    """Return the list, read once: that takes tens of milliseconds."""
    return PublicSuffixList()
