"""In which AS and country an address is: the longest network counts, wherever it begins and ends."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.sources.network_table import MalformedNetworkTable, Whereabouts, read_network_table

TABLE = read_network_table(
    """\
network,as,country
# our own
192.0.0.0/16,AS64500,IT
192.0.2.0/24,64501,de

192.0.2.128/25,,FR
192.0.2.255/32,as64502,
198.51.100.0/24,AS64503,CH
255.255.255.0/24,AS64504,AT
2001:db8::/32,AS64500,IT
2001:db8:7::/48,AS64505,ES
2001:db8:7::1/128,AS64599,US
""".splitlines()
)
NOTHING = Whereabouts(None, None)
ADDRESSES = [
    ("192.0.1.1", ("AS64500", "IT")),
    ("192.0.2.0", ("AS64501", "DE")),
    ("192.0.2.127", ("AS64501", "DE")),
    ("192.0.2.128", (None, "FR")),
    ("192.0.2.255", ("AS64502", None)),
    ("192.0.3.0", ("AS64500", "IT")),
    ("192.0.255.255", ("AS64500", "IT")),
    ("192.1.0.0", NOTHING),
    ("191.255.255.255", NOTHING),
    ("198.51.100.7", ("AS64503", "CH")),
    ("255.255.255.255", ("AS64504", "AT")),
    ("1.0.0.0", NOTHING),
    ("::ffff:192.0.2.1", ("AS64501", "DE")),
    ("2001:db8::1", ("AS64500", "IT")),
    ("2001:DB8:7::1", ("AS64505", "ES")),
    ("2001:db8:8::", ("AS64500", "IT")),
    ("2001:db9::", NOTHING),
    ("", NOTHING),
    ("unknown", NOTHING),
    ("192.0.2", NOTHING),
    ("192.0.2.256", NOTHING),
    ("192.0.2.-1", NOTHING),
    ("::ffff:192.0.2", NOTHING),
    ("fe80::1%eth0", NOTHING),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_where_an_address_is(address: str, expected: Whereabouts) -> None:
    assert TABLE.find(address) == expected


MISTAKES = [
    ("192.0.2.0/24,AS64500", "line 1: 2 fields; write network,as,country"),
    ("\n192.0.2.0/24,AS64500,IT,x", "line 2: 4 fields"),
    ("192.0.2.0/24,ISP,IT", "line 1: 'ISP' is no AS; write AS64500"),
    ("192.0.2.0/24,AS64500,Italy", "line 1: 'Italy' is no country"),
    ("192.0.2.0,AS64500,IT", "line 1: '192.0.2.0' is no network; write it as 192.0.2.0/24"),
    ("192.0.2.0/33,AS64500,IT", "is no network"),
    ("2001:db8::/129,AS64500,IT", "is no network"),
    ("192.0.2.0-192.0.2.255,AS64500,IT", "is no network"),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_is_told_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(MalformedNetworkTable, match=expected):
        read_network_table(text.splitlines())


NETWORKS = st.lists(
    st.tuples(st.integers(0, 0xFF), st.integers(24, 32), st.integers(1, 5)).map(
        lambda drawn: (ip_network((0xC0000200 + drawn[0], drawn[1]), strict=False), drawn[2])
    ),
    max_size=30,
)


@given(NETWORKS)
def test_it_is_as_if_each_network_were_looked_at(networks: list[tuple[object, int]]) -> None:
    table = read_network_table(f"{network},{number}," for network, number in networks)
    for last in range(256):
        address = ip_address(0xC0000200 + last)
        having = [(one.prefixlen, place, number) for place, (one, number) in enumerate(networks) if address in one]  # type: ignore[attr-defined, operator]
        found = table.find(str(address)).as_name
        longest = [f"AS{number}" for length, _, number in having if length == max(having)[0]]
        assert found in longest if longest else found is None
