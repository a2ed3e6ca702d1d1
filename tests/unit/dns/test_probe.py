from collections.abc import Mapping

import pytest
from tests.unit.dns.toy_dns import LISTED, LISTS, A, Behaviour, ToyDns, answer_to, code, record

from outwarden.dns.lookup import Lookup
from outwarden.dns.probe import ResolverFault, ResolverState, probe
from outwarden.dns.resolver import Resolver

PARKED = record(A, bytes([198, 51, 100, 7]))
ERROR = record(A, bytes([127, 255, 255, 254]))


def state(monkeypatch: pytest.MonkeyPatch, canary: Behaviour, controls: Mapping[str, Behaviour]) -> ResolverState:
    with ToyDns(otherwise=canary) as server:
        for name, behaviour in controls.items():
            monkeypatch.setitem(LISTS, name, behaviour)
        names = {name: f"2.0.0.127.{name}.lists.example" for name in controls}
        found = probe(Lookup(Resolver("127.0.0.1", server.port, False), 0.3), names)
        return found._replace(text=found.text.replace(str(server.port), "PORT"))


def parked(query: bytes, _before: int) -> list[bytes]:
    return [answer_to(query, PARKED)]


def error(query: bytes, _before: int) -> list[bytes]:
    return [answer_to(query, ERROR)]


def silent(_query: bytes, _before: int) -> list[bytes]:
    return []


def listed(query: bytes, _before: int) -> list[bytes]:
    return [answer_to(query, LISTED)]


@pytest.mark.parametrize(
    ("canary", "controls", "fault", "words", "refused_by"),
    [
        (code(3), {"a": listed}, None, "resolver 127.0.0.1:PORT answers", ()),
        (code(5), {"a": listed, "b": silent}, None, "resolver 127.0.0.1:PORT answers", ()),
        (code(3), {"a": listed, "b": error}, None, "answers", ("b",)),
        (code(3), {}, None, "answers", ()),
        (silent, {"a": silent}, ResolverFault.DEAD, "no answer within 0.3 seconds; start it, or name another", ()),
        (silent, {"a": code(5)}, ResolverFault.REFUSED_BY_LISTS, "refused by 1 of 1 lists (a)", ("a",)),
        (parked, {"a": parked}, ResolverFault.REWRITES, "says 198.51.100.7 where no name is", ()),
        (
            code(3),
            {"a": error, "b": code(5), "c": listed},
            ResolverFault.REFUSED_BY_LISTS,
            "127.0.0.1:PORT is refused by 2 of 3 lists (a, b), as public resolvers are; run a resolver of your own",
            ("a", "b"),
        ),
    ],
)
def test_a_resolver_is_judged(
    monkeypatch: pytest.MonkeyPatch,
    canary: Behaviour,
    controls: Mapping[str, Behaviour],
    fault: ResolverFault | None,
    words: str,
    refused_by: tuple[str, ...],
) -> None:
    found = state(monkeypatch, canary, controls)
    assert found.fault is fault
    assert words in found.text
    assert "\n" not in found.text
    assert found.refused_by == refused_by


def test_nobody_listens() -> None:
    with ToyDns() as server:
        port = server.port
    found = probe(Lookup(Resolver("127.0.0.1", port, False), 0.3))
    assert found.fault is ResolverFault.DEAD
    assert found.text == (
        f"resolver 127.0.0.1:{port}: nothing answers at that address; start it, or name another with "
        "--resolver HOST[:PORT]"
    )
