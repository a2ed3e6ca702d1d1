"""What is wrong with templates that a site has changed: the file, the line, and what would do.

A template is read, its names are compared with those there are, and then it is tried with facts of every kind, with
much known and with little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC
from difflib import get_close_matches
from traceback import extract_tb
from typing import NamedTuple

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError

from outwarden.responses.notices.facts import Language, NoticeKind
from outwarden.responses.notices.letter import MalformedTemplate, Templates, html_page, text_environment, write_letter
from outwarden.responses.notices.sample import SAMPLE_LINK, SAMPLE_PLACES, sample_facts
from outwarden.responses.notices.wording import VARIABLES, variables


class Fault(NamedTuple):
    """``line`` 0 stands for the file as a whole."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return it in one line, as compilers do."""
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


def folder_faults(folder: str, known: Collection[str], found: Sequence[str]) -> Iterator[Fault]:
    """Yield a fault for each file that is no template, which would have no effect without anybody noticing."""
    for name in found:
        if name not in known:
            yield Fault(f"{folder}/{name}", 0, f"no template has this name{_perhaps(name, known)}")


def template_faults(templates: Templates, own: Collection[str]) -> list[Fault]:
    """Return what is wrong with the templates named ``own``, and with letters that are made of them."""
    faults = [fault for place in sorted(own) if place != "frame" for fault in _names(templates, place)]
    return faults or _trials(templates, own)


def _names(templates: Templates, place: str) -> Iterator[Fault]:
    language, file, text = Language(place.partition("/")[0]), templates.files[place], templates.texts[place]
    environment = text_environment(templates, language)
    try:
        tree = environment.parse(text)
        environment.compile(text, filename=file)
    except TemplateSyntaxError as fault:
        yield Fault(file, fault.lineno, fault.message or "cannot be understood")
        return
    unknown = meta.find_undeclared_variables(tree) - VARIABLES
    for name in sorted(tree.find_all(nodes.Name), key=lambda each: each.lineno):
        if name.name in unknown and name.ctx == "load":
            yield Fault(file, name.lineno, f"unknown variable {name.name!r}{_perhaps(name.name, VARIABLES)}")
    parts = {each.partition("/")[2] for each in templates.texts if each.startswith(f"{language.value}/")} - {
        *NoticeKind
    }
    for included in tree.find_all(nodes.Include):
        named = included.template.value if isinstance(included.template, nodes.Const) else ""
        if place.endswith(f"/{named}"):
            yield Fault(file, included.lineno, "includes itself")
        elif named not in parts:
            yield Fault(file, included.lineno, f"includes {named!r}, which is no part{_perhaps(named, parts)}")


def _trials(templates: Templates, own: Collection[str]) -> list[Fault]:
    touched = set(Language) if "frame" in own else {Language(place.partition("/")[0]) for place in own}
    found = [_trial(templates, kind, language) for language in Language if language in touched for kind in NoticeKind]
    # A part that is shared is wrong in each kind that includes it.
    return list(dict.fromkeys(fault for fault in found if fault is not None))


def _trial(templates: Templates, kind: NoticeKind, language: Language) -> Fault | None:
    file = templates.files[f"{language.value}/{kind}"]
    for full in (True, False):
        facts = sample_facts(kind, full=full, link=SAMPLE_LINK if full else "")
        values = variables(facts, SAMPLE_PLACES[full], templates.words[language], UTC)
        try:
            letter = write_letter(templates, kind, language, values)
            page = html_page(templates, letter, facts.reference)
        except MalformedTemplate as fault:
            return Fault(file, 0, str(fault))
        except RecursionError:
            return Fault(file, 0, "includes what includes it again")
        except (
            TemplateError,
            SecurityError,
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            AttributeError,
        ) as fault:
            return _where(fault, templates, file)
        if facts.reference not in page:
            return Fault(file, 0, "does not name {{ reference }}, by which its reader can ask")
    return None


def _where(fault: Exception, templates: Templates, file: str) -> Fault:
    """Return the fault at the line of the template in which it came up."""
    if isinstance(fault, TemplateNotFound):
        return Fault(file, 0, f"includes {fault.name!r}, which there is not")
    known = set(templates.files.values())
    frames = [frame for frame in extract_tb(fault.__traceback__) if frame.filename in known]
    if not frames:
        return Fault(file, 0, str(fault))
    return Fault(frames[-1].filename, frames[-1].lineno or 0, str(fault))


def _perhaps(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
