"""``outwarden authentication`` from the terminal to a DNS server on loopback and back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outwarden.cli.main import run

sys.path.insert(0, str(Path(__file__).parent))
from loopback_dns import closed_port, dns_server

ROOT = Path(__file__).resolve().parents[3]
ZONE = {
    ("isp.example", "SOA"): ["ns.isp.example. h.isp.example. 1 2 3 4 5"],
    ("isp.example", "MX"): ["10 mx.isp.example."],
    ("isp.example", "TXT"): ['"v=spf1 mx -all"'],
    ("mx.isp.example", "A"): ["192.0.2.10"],
    ("mail.isp.example", "A"): ["192.0.2.25"],
    ("25.2.0.192.in-addr.arpa", "PTR"): ["mail.isp.example."],
    ("_dmarc.isp.example", "TXT"): ['"v=DMARC1; p=reject; pct=100"'],
    ("servfail.isp.example", "A"): ["192.0.2.1"],
    ("dane.isp.example", "MX"): ["10 mx.dane.isp.example."],
    ("mx.dane.isp.example", "A"): ["127.0.0.1"],
    ("_25._tcp.mx.dane.isp.example", "TLSA"): ["3 1 1 " + "ab" * 32],
    ("xn--bcher-kva.example", "MX"): ["0 ."],
    ("xn--bcher-kva.example", "TXT"): ['"v=spf1 -all"'],
    ("_dmarc.xn--bcher-kva.example", "TXT"): ['"v=DMARC1; p=reject"'],
}


@pytest.fixture(scope="module")
def resolver() -> Iterator[str]:
    with dns_server(ZONE) as port:
        yield f"127.0.0.1:{port}"


def outwarden(*arguments: str, given: bytes = b"") -> tuple[int, str, str]:
    """The exit code, standard output and standard error of a real run."""
    ended = subprocess.run(
        [sys.executable, "-m", "outwarden", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"},
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def checks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    """The documents that ``--json`` prints."""
    assert run(["--json", "authentication", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_line_of_json_for_each_domain(resolver: str, capsys: pytest.CaptureFixture[str]) -> None:
    documents = checks(capsys, "ISP.example.", "Bücher.example", "gone.example", "--resolver", resolver)
    assert [(document["domain"], document["verdict"]) for document in documents] == [
        ("isp.example", "fail"),
        ("xn--bcher-kva.example", "pass"),
        ("gone.example", "fail"),
    ]
    assert {tuple(check) for document in documents for check in document["checks"]} == {
        ("name", "severity", "state", "text", "why", "record_to_publish", "standard")
    }


def test_what_to_publish_for_our_address(resolver: str, capsys: pytest.CaptureFixture[str]) -> None:
    (document,) = checks(
        capsys, "isp.example", "--address", "192.0.2.25", "--helo", "mail.isp.example", "--resolver", resolver
    )
    by_name = {check["name"]: check for check in document["checks"]}
    assert by_name["reverse-name"]["state"] == by_name["helo"]["state"] == "pass"
    assert by_name["spf-address"]["state"] == "fail"
    assert by_name["spf-address"]["record_to_publish"] == 'isp.example. IN TXT "v=spf1 ip4:192.0.2.25 mx -all"'
    advised = '_dmarc.isp.example. IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc-reports@isp.example"'
    assert by_name["dmarc-tags"]["record_to_publish"] == advised


def test_a_record_stands_below_its_fault(resolver: str) -> None:
    code, text, _ = outwarden("authentication", "isp.example", "--resolver", resolver)
    assert code == 0
    lines = text.splitlines()
    assert lines[0].startswith("isp.example: fail, ")
    (fault,) = [number for number, line in enumerate(lines) if "dmarc-reports " in line]
    assert lines[fault + 1].startswith("    why: ")
    assert '"v=DMARC1; p=reject; rua=mailto:dmarc-reports@isp.example"' in "\n".join(lines)


def test_only_the_answer(resolver: str) -> None:
    code, text, _ = outwarden("-q", "authentication", "isp.example", "--resolver", resolver)
    assert (code, len(text.splitlines())) == (0, 1)


def test_a_message_on_standard_input(resolver: str) -> None:
    message = b"From: rosa@isp.example\nSubject: hello\n\nHello\n"
    code, text, _ = outwarden(
        "--json", "authentication", "isp.example", "--message", "-", "--resolver", resolver, given=message
    )
    states = {check["name"]: check["state"] for check in json.loads(text)["checks"]}
    assert (code, states["dkim-signature"], states["cfbl-address"]) == (0, "fail", "warn")


def test_a_domain_that_cannot_be_asked_for_is_unknown_all_over(
    resolver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (document,) = checks(capsys, "servfail.isp.example", "--resolver", resolver)
    states = {check["name"]: check["state"] for check in document["checks"]}
    assert states["spf"] == states["mail-exchangers"] == "unknown"


def test_mail_exchangers_are_connected_to_only_when_asked_and_only_at_public_addresses(
    resolver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (unasked,) = checks(capsys, "dane.isp.example", "--resolver", resolver)
    assert "dane-certificate" not in {check["name"] for check in unasked["checks"]}
    (document,) = checks(capsys, "dane.isp.example", "--probe-certificates", "--resolver", resolver)
    (check,) = [check for check in document["checks"] if check["name"] == "dane-certificate"]
    assert (check["state"], check["text"]) == (
        "unknown",
        "mx.dane.isp.example has no public address, only 127.0.0.1",
    )


# Name, arguments, exit code, the whole of stderr.
MISTAKES = [
    ("a mailbox", ["rosa@isp.example"], 2, "'rosa@isp.example' is a mailbox, not a domain; give only the domain"),
    (
        "a URL",
        ["https://isp.example/"],
        2,
        "'https://isp.example/' is a URL or a network, not a domain; give only the domain",
    ),
    ("an address", ["192.0.2.1"], 2, "'192.0.2.1' is an address; give the domain, and the address with --address"),
    ("no dot", ["isp"], 2, "'isp' has no dot; give the whole domain, such as example.com"),
    (
        "a network",
        ["isp.example", "--address", "192.0.2.0/24"],
        2,
        "--address '192.0.2.0/24' is no IPv4 or IPv6 address; a network cannot be checked",
    ),
    (
        "a HELO name that is none",
        ["isp.example", "--helo", "localhost"],
        2,
        "'localhost' has no dot; give the whole domain, such as example.com",
    ),
    ("a resolver that is none", ["isp.example", "--resolver", "127.0.0.1:dns"], 2, None),
    (
        "no such message",
        ["isp.example", "--message", "no.eml"],
        1,
        "no.eml: No such file or directory; give a message as it was received, headers and all",
    ),
    (
        "no message",
        ["isp.example", "--message", "/dev/null"],
        1,
        "/dev/null: no message: it begins with no header field",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "code", "says"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_a_mistake_is_one_clear_line(
    resolver: str, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str | None
) -> None:
    given = arguments if "--resolver" in arguments else [*arguments, "--resolver", resolver]
    assert run(["authentication", *given]) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert len(streams.err.splitlines()) == 1
    if says is not None:
        assert streams.err == f"outwarden: {says}\n"


def test_a_dead_resolver_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    dead = f"127.0.0.1:{closed_port()}"
    assert run(["authentication", "isp.example", "--resolver", dead]) == 1
    says = f"outwarden: isp.example: no answer from the resolver {dead}; name another with --resolver HOST[:PORT]\n"
    assert capsys.readouterr() == ("", says)


def test_no_domain_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["authentication"]) == 2
    assert "Missing argument" in capsys.readouterr().err


# -- What the configuration knows of us --------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, resolver: str) -> Path:
    file = tmp_path / "outwarden.toml"
    file.write_text(
        '[site]\naddresses = ["192.0.2.24/31"]\ndomains = ["isp.example", "Bücher.example"]\n'
        f'dkim_selectors = ["s1"]\nhelo = "mail.isp.example"\n[dns]\nresolver = "{resolver}"\n'
    )
    return file


def configured(capsys: pytest.CaptureFixture[str], site: Path, *arguments: str) -> dict[str, dict]:
    """By domain, the texts of its checks by their names."""
    found = checks(capsys, "--config", str(site), *arguments)
    return {document["domain"]: {check["name"]: check["text"] for check in document["checks"]} for document in found}


def test_without_a_domain_our_own_are_checked(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = configured(capsys, site)
    assert list(found) == ["isp.example", "xn--bcher-kva.example"]
    assert {"spf-address", "reverse-name", "helo", "dkim-key"} <= set(found["isp.example"])


def test_what_is_configured_does_not_make_a_parked_domain_one_that_sends(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (parked,) = configured(capsys, site, "bücher.example").values()
    assert parked == configured(capsys, Path(os.devnull), "bücher.example", "--resolver", _resolver(site)).popitem()[1]


def _resolver(site: Path) -> str:
    return site.read_text().rpartition("resolver = ")[2].strip().strip('"')


def test_the_command_line_wins(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = str(configured(capsys, site, "isp.example", "--address", "192.0.2.10", "--selector", "s9"))
    assert "192.0.2.10" in texts
    assert "192.0.2.25" not in texts
    assert "s9._domainkey" in texts
    assert "s1._domainkey" not in texts


@pytest.mark.parametrize(
    ("text", "arguments", "code", "says"),
    [
        ("", (), 2, "no domains are configured: [site] domains"),
        ('[site]\nhelo = "a b"\n', ("isp.example",), 78, "outwarden.toml:2: site.helo: 'a b' has a character"),
        ('[site]\naddresses = ["192.0.2.0/23"]\n', ("isp.example",), 78, "outwarden.toml:2: site.addresses: "),
        ('[site]\naddresses = ["198.51.0.0/23"]\n', ("isp.example",), 78, "512 addresses are too many to check each"),
        ('[site]\ndomains = ["192.0.2.1"]\n', (), 78, "outwarden.toml:2: site.domains: '192.0.2.1' is not a domain"),
        ('[dns]\nresolver = "127.0.0.1:dns"\n', ("isp.example",), 78, "outwarden.toml:2: dns.resolver: "),
        ("[sight]\n", ("isp.example",), 78, "outwarden.toml:1: "),
    ],
)
def test_what_is_wrong_with_the_configuration_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, arguments: tuple[str, ...], code: int, says: str
) -> None:
    (tmp_path / "outwarden.toml").write_text(text)
    assert run(["--config", str(tmp_path / "outwarden.toml"), "authentication", *arguments]) == code
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""
