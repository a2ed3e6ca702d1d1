"""A small DNS server on loopback, UDP and TCP, that answers from a zone and misbehaves by name."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset

Zone = dict[tuple[str, str], list[str]]


class _Answers:
    """What is answered.  Names that begin with a misbehaviour get it."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.names = {name for name, _ in zone}

    def answer(self, wire: bytes, over_tcp: bool) -> list[bytes]:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA | (dns.flags.AD if query.flags & dns.flags.AD and name.startswith("secure") else 0)
        first = name.partition(".")[0]
        if first == "silent":
            return []
        if first in {"servfail", "refused"}:
            reply.set_rcode(dns.rcode.from_text(first))
            return [reply.to_wire()]
        if first == "old" and query.edns >= 0:
            reply.use_edns(False)
            reply.set_rcode(dns.rcode.FORMERR)
            return [reply.to_wire()]
        self._fill(reply, question, name)
        if first == "long" and not over_tcp:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
        if first == "forged":
            return [b"\x00\x00" + b"\xff" * 20, b"", _other(reply), reply.to_wire()]
        return [reply.to_wire()]

    def _fill(self, reply: dns.message.Message, question: dns.rrset.RRset, name: str) -> None:
        kind = question.rdtype.name
        if alias := self.zone.get((name, "CNAME")):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
            name = alias[0].removesuffix(".")
        if values := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))
        elif name not in self.names and not any(known.endswith(f".{name}") for known in self.names):
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _other(reply: dns.message.Message) -> bytes:
    """The same answer under another id: a forger's."""
    wire = bytearray(reply.to_wire())
    wire[0] ^= 0xFF
    return bytes(wire)


@contextmanager
def dns_server(zone: Zone) -> Iterator[int]:
    """Serve ``zone`` on 127.0.0.1 while the block runs; gives the port."""
    answers = _Answers(zone)

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for wire in answers.answer(self.request[0], over_tcp=False):
                self.request[1].sendto(wire, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            size = int.from_bytes(self.rfile.read(2), "big")
            for wire in answers.answer(self.rfile.read(size), over_tcp=True):
                self.wfile.write(len(wire).to_bytes(2, "big") + wire)

    with _pair(Udp, Tcp) as (udp, tcp):
        threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in (udp, tcp)]
        for thread in threads:
            thread.start()
        try:
            yield udp.server_address[1]
        finally:
            for server, thread in zip((udp, tcp), threads, strict=True):
                server.shutdown()
                thread.join()


@contextmanager
def _pair(
    udp: type[socketserver.BaseRequestHandler], tcp: type[socketserver.BaseRequestHandler]
) -> Iterator[tuple[socketserver.UDPServer, socketserver.TCPServer]]:
    """A UDP and a TCP server on the same port; the port that one gets may be taken for the other."""
    for _ in range(20):
        with socketserver.ThreadingUDPServer(("127.0.0.1", 0), udp) as first:
            try:
                second = socketserver.ThreadingTCPServer(first.server_address, tcp)
            except OSError:
                continue
            with second:
                yield first, second
            return
    raise OSError("no port is free for both")


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
