"""HTML as far as mail needs it: the text that is seen, and every address that the page leads to or loads.

No tree is built: each pattern goes once over the page and none steps back, so hostile nesting costs what the same
length of honest HTML does.  Known limits: style sheets are not applied; text that an attribute of its own element
hides is left out, text hidden from afar is not.
"""

import re
from html import unescape

_NAMES = ("href", "src", "action", "background", "poster")
_ATTRIBUTES = tuple((name, re.compile(name + r"\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))")) for name in _NAMES)
_STYLE_URL = re.compile(r"url\(\s*[\"']?([^\"')\s]+)")
_REFRESH = re.compile(r"refresh[\"'\s][^>]{0,200}?url\s*=\s*[\"']?([^\"'>\s]+)")

_UNSEEN = (("<!--", "-->"), ("<style", "</style"), ("<script", "</script"), ("<title", "</title"))
_HIDING = {
    "display": re.compile(r"display\s*:\s*none"),
    "visibility": re.compile(r"visibility\s*:\s*hidden"),
    "font-size": re.compile(r"font-size\s*:\s*0(?![.\d]*[1-9])"),
    "mso-hide": re.compile(r"mso-hide\s*:\s*all"),
}
_LONGEST_TAG = 4_096
# What clients put around the message that is answered.
_QUOTED = ("blockquote", "gmail_quote", "moz-cite-prefix", "yahoo_quoted", "divrplyfwdmsg", "appendonsend")
_SIGNS_OF_A_QUOTATION = ("quote", "moz-cite", "divrply", "appendons")
# Around these, words go on: what stands in them is one word with its neighbours.
_INLINE = re.compile(r"</?(?:b|i|u|em|strong|span|font|a|s|small|big|wbr|sup|sub|o:p)(?:[\s/][^>]*)?>")
# Tags in a row are one step, as each step costs more than the letters in it.
_TAGS = re.compile(r"<[a-zA-Z/!?][^>]*>(?:\s*<[a-zA-Z/!?][^>]*>)*")
_ENTITY_ZEROS = re.compile(r"&#(x?)0+(?=[0-9a-f])")
_ENTITY_TOO_LONG = re.compile(r"&#x?[0-9a-f]{8,}")


def addresses_of(page: str) -> list[str]:
    """Return what the page's attributes and styles lead to, as written but for character references."""
    page, lower = _with_lower_case(page)
    found: list[str] = []
    for name, attribute in _ATTRIBUTES:
        # Found much faster than the pattern finds that it is not there.
        place = lower.find(name)
        if place >= 0:
            found += [page[slice(*match.span(match.lastindex or 0))] for match in attribute.finditer(lower, place)]
    if "url(" in lower:
        found += [page[slice(*match.span(1))] for match in _STYLE_URL.finditer(lower)]
    if "refresh" in lower:
        found += [page[slice(*match.span(1))] for match in _REFRESH.finditer(lower)]
    return [resolved(one) if "&" in one else one for one in found]


def seen_text(page: str) -> str:
    """Return the text that a reader sees, a line for each block, without what is quoted below it."""
    page, lower = _with_lower_case(page)
    for begin, end in _UNSEEN:
        if begin in lower:
            page, lower = _without(page, lower, begin, end)
    page, lower = _without_hidden(page, lower)
    if any(sign in lower for sign in _SIGNS_OF_A_QUOTATION):
        quotes = [place for place in map(lower.find, _QUOTED) if place > 0]
        own = page[: lower.rfind("<", 0, min(quotes))] if quotes else ""
        page = own if _without_tags(own, "").strip() else page
    text = _without_tags(page, "\n")
    return resolved(text) if "&" in text else text


def _without_tags(page: str, block: str) -> str:
    # Behind the last > nothing ends: before it each tag does, so that no end is looked for in vain.
    tags, end, rest = page.rpartition(">")
    tags, end, between = _INLINE.sub("", tags + end).rpartition(">")
    return _TAGS.sub(block, tags + end) + between + rest


def resolved(text: str) -> str:
    """Return the text with its character references resolved, those with many zeros too."""
    text = text.replace("&nbsp;", " ").replace("&amp;", "&")
    if "&" not in text or (";" not in text and "&#" not in text):
        return text
    if "&#" in text:
        text = _ENTITY_TOO_LONG.sub("", _ENTITY_ZEROS.sub(r"&#\1", text))
    return unescape(text)


def _with_lower_case(page: str) -> tuple[str, str]:
    """Return the page and the same in lower case, each letter in the same place."""
    lower = page.lower()
    # The one letter whose lower case has two.
    return (page, lower) if len(lower) == len(page) else (page := page.replace("\u0130", "I"), page.lower())


def _without(page: str, lower: str, begin: str, end: str) -> tuple[str, str]:
    """Cut out what stands between the two; without an end, all that follows."""
    spans: list[tuple[int, int]] = []
    place = 0
    while (start := lower.find(begin, place)) >= 0:
        stop = lower.find(end, start)
        place = len(lower) if stop < 0 else lower.find(">", stop) + 1 or len(lower)
        spans.append((start, place))
    return _without_spans(page, lower, spans)


def _without_hidden(page: str, lower: str) -> tuple[str, str]:
    """Cut out the tags that hide what stands in them, and the text up to the next tag."""
    spans: list[tuple[int, int]] = []
    for word, pattern in _HIDING.items():
        for match in pattern.finditer(lower) if word in lower else ():
            start = lower.rfind("<", max(0, match.start() - _LONGEST_TAG), match.start())
            end = lower.find(">", match.end(), match.end() + _LONGEST_TAG)
            if 0 <= start < end and lower.find(">", start, match.start()) < 0:
                following = lower.find("<", end)
                spans.append((start, following if following >= 0 else len(lower)))
    return (page, lower) if not spans else _without_spans(page, lower, spans)


def _without_spans(page: str, lower: str, spans: list[tuple[int, int]]) -> tuple[str, str]:
    kept: list[slice] = []
    place = 0
    for start, end in sorted(spans):
        kept.append(slice(place, max(place, start)))
        place = max(place, end)
    kept.append(slice(place, None))
    return "".join([page[one] for one in kept]), "".join([lower[one] for one in kept])
