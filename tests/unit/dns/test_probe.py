"""What a check says of its resolver, and what becomes of the answers: against a server on loopback that is one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.dns.lying_lists import (
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    Behaviour,
    LyingLists,
    fails,
    lying_lists,
    says,
    zone,
)

from outwarden.dns.catalogue import Catalogue, load_catalogue
from outwarden.dns.checking import check
from outwarden.dns.list_health import HealthBook
from outwarden.dns.lookup import Lookup
from outwarden.dns.resolver import Resolver
from outwarden.dns.targets import Targets
from outwarden.events import ListAnswer, ListAnswerKind, WhyNot

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DEADLINE = 0.4
LISTED, UNLISTED, UNASKED = ListAnswerKind
FIT: Behaviour = zone({"2.0.0.127": says("127.0.0.2")})
HAS_US: Behaviour = zone({"2.0.0.127": says("127.0.0.2"), "10.2.0.192": says("127.0.0.2")})
TABLE = """
[{name}]
zone = "{name}.lists.example"
operator = "us"
meaning = "a list"
asks = ["ipv4"]
tier = "{tier}"
life = {{ state = "alive", source = "us" }}
codes = {{ "127.0.0.2" = {{ means = "listed", votes = "spam-source" }} }}
"""
EVERY_LIST = '[every-list.errors]\n"127.255.255.x" = "refused"\n"127.0.0.1" = "no listing"\n'


def all_are(answer: object) -> Behaviour:
    return zone({}, answer)  # type: ignore[arg-type]


SILENT, NOBODY, REFUSING, FAILING = (
    all_are(each) for each in (lambda _: None, fails(NXDOMAIN), fails(REFUSED), fails(SERVFAIL))
)
ERROR_CODE = all_are(says("127.255.255.254"))


def rewriting(address: str) -> Behaviour:
    return all_are(says(address))


class Found(NamedTuple):
    """What a check found: by list the answer and why not, each answer with its second, the resolver's fault."""

    by_list: dict[str, tuple[ListAnswerKind, WhyNot | None]]
    answers: list[tuple[float, ListAnswer]]
    fault: str | None


def resolver_with(elsewhere: Behaviour, lists: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    """The zones of a resolver that answers so below every top-level domain but that of the lists."""
    return {f"{each}.lists.example": behaviour for each, behaviour in lists.items()} | dict.fromkeys(
        ("com", "net", "org", "de", "uk"), elsewhere
    )


def catalogue_of(lists: Mapping[str, Behaviour], folder: Path) -> Catalogue:
    """The lists; those that are called hobby weigh as such."""
    tables = [TABLE.format(name=each, tier="hobby" if each.startswith("hobby") else "major") for each in lists]
    (folder / "lists.toml").write_text(EVERY_LIST + "".join(tables))
    return load_catalogue(folder / "lists.toml")


def checked(port: int, catalogue: Catalogue, target: str = "192.0.2.10", book: HealthBook | None = None) -> Found:
    book = book or HealthBook()
    lookup = Lookup(Resolver("127.0.0.1", port, remote=False), DEADLINE)
    begun = time.monotonic()
    answers = [(time.monotonic() - begun, answer) for answer in check(Targets([target]), catalogue, lookup, NOW, book)]
    by_list = {answer.list: (answer.answer, answer.why_not) for _, answer in answers}
    return Found(by_list, answers, book.resolver_fault and book.resolver_fault.replace(str(port), "PORT"))


REWRITTEN = (UNASKED, WhyNot.REWRITTEN)
# Name, what is answered of names that nobody has, the lists, the words of the fault, what each list is taken to say.
RESOLVERS = [
    ("honest", NOBODY, {"a": HAS_US, "b": FIT}, None, {"a": (LISTED, None), "b": (UNLISTED, None)}),
    ("a name server of lists", REFUSING, {"a": HAS_US}, None, {"a": (LISTED, None)}),
    ("one that is walled in", SILENT, {"a": HAS_US}, None, {"a": (LISTED, None)}),
    (
        "rewrites to a web page",
        rewriting("198.51.100.7"),
        {"a": rewriting("198.51.100.7"), "b": rewriting("198.51.100.7")},
        "says 198.51.100.7 where no name is (",
        {"a": REWRITTEN, "b": REWRITTEN},
    ),
    (
        "rewrites to what looks like a listing",
        rewriting("127.0.0.2"),
        {"a": rewriting("127.0.0.2")},
        "says 127.0.0.2 where no name is (",
        {"a": REWRITTEN},
    ),
    (
        "rewrites to what looks like a refusal",
        rewriting("127.0.0.1"),
        {"a": rewriting("127.0.0.1")},
        "no list can be asked through it; run a resolver of your own, and name it with --resolver HOST[:PORT]",
        {"a": REWRITTEN},
    ),
    (
        "rewrites, but not the lists",
        rewriting("198.51.100.7"),
        {"a": FIT, "b": HAS_US},
        "where no name is",
        {"a": REWRITTEN, "b": REWRITTEN},
    ),
    (
        "a list that answers everything",
        NOBODY,
        {"a": rewriting("127.0.0.2"), "b": FIT},
        None,
        {"a": (UNASKED, WhyNot.CANARY_FAILED), "b": (UNLISTED, None)},
    ),
    (
        "refuses us",
        REFUSING,
        {"a": REFUSING, "b": REFUSING},
        "resolver 127.0.0.1:PORT refuses all questions; allow this host to ask it, or name another with --resolver",
        {"a": (UNASKED, WhyNot.REFUSED), "b": (UNASKED, WhyNot.REFUSED)},
    ),
    (
        "reaches nobody",
        FAILING,
        {"a": FAILING},
        "resolver 127.0.0.1:PORT finds no answer to anything; see whether it reaches other name servers",
        {"a": (UNASKED, WhyNot.TIMEOUT)},
    ),
    (
        "silent",
        SILENT,
        {"a": SILENT, "b": SILENT},
        "resolver 127.0.0.1:PORT is silent: no answer within 0.4 seconds; start it, or name another with --resolver",
        {"a": (UNASKED, WhyNot.TIMEOUT), "b": (UNASKED, WhyNot.TIMEOUT)},
    ),
    (
        "refused by most lists, and the other is believed",
        NOBODY,
        {"a": ERROR_CODE, "b": REFUSING, "c": HAS_US},
        "127.0.0.1:PORT is refused by 2 of 3 lists (a, b), as public ones are; run a resolver of your own",
        {"a": (UNASKED, WhyNot.REFUSED), "b": (UNASKED, WhyNot.REFUSED), "c": (LISTED, None)},
    ),
    (
        "refused by those that count",
        NOBODY,
        {"a": ERROR_CODE, "b": REFUSING} | {f"hobby{number}": FIT for number in range(9)},
        "is refused by 2 of 11 lists (a, b)",
        {"a": (UNASKED, WhyNot.REFUSED), "b": (UNASKED, WhyNot.REFUSED)}
        | {f"hobby{number}": (UNLISTED, None) for number in range(9)},
    ),
    (
        "refused by one alone",
        NOBODY,
        {"a": ERROR_CODE},
        None,
        {"a": (UNASKED, WhyNot.REFUSED)},
    ),
]


@pytest.mark.parametrize(
    ("elsewhere", "lists", "words", "expected"),
    [case[1:] for case in RESOLVERS],
    ids=[case[0] for case in RESOLVERS],
)
def test_a_resolver_is_judged(
    tmp_path: Path,
    elsewhere: Behaviour,
    lists: dict[str, Behaviour],
    words: str | None,
    expected: dict[str, tuple[ListAnswerKind, WhyNot | None]],
) -> None:
    with lying_lists(resolver_with(elsewhere, lists)) as server:
        found = checked(server.port, catalogue_of(lists, tmp_path))
    assert (found.fault is None) is (words is None), found.fault
    assert (words or "") in (found.fault or "")
    assert "\n" not in (found.fault or "")
    assert found.by_list == expected


def test_nobody_listens(tmp_path: Path) -> None:
    with lying_lists({}) as gone:
        port = gone.port
    found = checked(port, catalogue_of({"a": FIT}, tmp_path))
    assert found.fault == (
        "resolver 127.0.0.1:PORT is not there: nothing answers at that address; start it, or name another with "
        "--resolver HOST[:PORT]"
    )


def test_an_accident_on_one_name_is_no_rewriting(tmp_path: Path) -> None:
    zones = resolver_with(NOBODY, {"a": FIT}) | {"de": rewriting("198.51.100.7")}
    with lying_lists(zones) as server:
        found = checked(server.port, catalogue_of({"a": FIT}, tmp_path))
    assert (found.fault, found.by_list) == (None, {"a": (UNLISTED, None)})


def test_no_list_that_is_fit_waits_for_the_resolver_to_be_proved(tmp_path: Path) -> None:
    lists = {"a": FIT, "b": HAS_US, "mad": rewriting("127.0.0.2"), "refusing": REFUSING, "died": NOBODY}
    with lying_lists(resolver_with(SILENT, lists)) as server:
        found = checked(server.port, catalogue_of(lists, tmp_path))
    when = {answer.list: at for at, answer in found.answers}
    assert max(when[each] for each in ("a", "b", "refusing", "died")) < DEADLINE / 2
    # What it answers might be the resolver's own words: that is worth a wait, and no list's answer is.
    assert when["mad"] > DEADLINE / 2
    assert found.by_list["mad"] == (UNASKED, WhyNot.CANARY_FAILED)


def test_a_network_is_not_swept_through_a_resolver_that_rewrites(tmp_path: Path) -> None:
    lists = {"a": rewriting("127.0.0.2"), "b": FIT}
    with lying_lists(resolver_with(rewriting("127.0.0.2"), lists)) as server:
        found = checked(server.port, catalogue_of(lists, tmp_path), "192.0.2.0/24")
        assert len(server.asked) < 100
    assert len(found.answers) == 2 * 256
    assert {answer.why_not for _, answer in found.answers} == {WhyNot.REWRITTEN}


def asked_elsewhere(server: LyingLists) -> int:
    return sum(not name.endswith(".lists.example") for name, _ in server.asked)


def test_what_was_found_is_remembered_as_long_as_the_lists_are(tmp_path: Path) -> None:
    book = HealthBook()
    lists = {"a": FIT}
    with lying_lists(resolver_with(rewriting("198.51.100.7"), lists)) as server:
        for target in ("192.0.2.10", "192.0.2.11"):
            found = checked(server.port, catalogue_of(lists, tmp_path), target, book)
            assert found.by_list == {"a": REWRITTEN}
            assert found.fault is not None
        assert asked_elsewhere(server) == 5
