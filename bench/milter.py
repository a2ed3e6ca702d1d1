"""Claim: per second and core the milter carries 1.3 times the messages of 2 kB that rspamd does, on uvloop 2.5 times.

    python bench/milter.py [MESSAGES]

A raw client plays Postfix's part of the protocol over 16 connections on a UNIX socket, one message for each, and
skips the answers that the filter has promised not to give.  Both filters accept everything: ours without looking,
on uvloop too where it is installed; rspamd with no module switched on.  So this is the ceiling that the protocol
leaves to the checks, and not what a gate with checks does.  What counts is the filter's own processor time, with
all its processes; of three rounds in turn the median is shown.
"""

import asyncio
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from outwarden.filter import Accept, Envelope, Spool, SpoolSpace, Verdict
from outwarden.filter.endpoint import UnixEndpoint
from outwarden.filter.milter.frames import Command, frame
from outwarden.filter.milter.listener import MilterListener
from outwarden.filter.milter.negotiation import UNANSWERED, Step

CONNECTIONS = 16
ROUNDS = 3
PEER = "rspamd, no module"
SIZES = {"2 kB": 2048, "20 kB": 20480}
OFFER = frame(Command.NEGOTIATE, b"".join(number.to_bytes(4, "big") for number in (6, 0x1FF, 0x1FFFFF)))
LEFT_OUT = {
    Command.CONNECT: Step.NO_CONNECT,
    Command.HELO: Step.NO_HELO,
    Command.MAIL: Step.NO_MAIL,
    Command.RECIPIENT: Step.NO_RECIPIENT,
    Command.DATA: Step.NO_DATA,
    Command.HEADER: Step.NO_HEADERS,
    Command.END_OF_HEADERS: Step.NO_END_OF_HEADERS,
    Command.BODY: Step.NO_BODY,
}
# Changes of the message and progress are no answers to a step.
NO_ANSWERS = b"hmibn+-q2elp"

RSPAMD = """
options {{ filters = []; explicit_modules = []; local_addrs = [];
  dns {{ nameserver = ["127.0.0.1:9"]; }} control_socket = "{folder}/control.sock mode=0600";
  url_tld = "/usr/share/rspamd/effective_tld_names.dat"; hs_cache_dir = "{folder}"; cache_file = "{folder}/cache";
  tempdir = "{folder}"; }}
logging {{ type = "file"; filename = "{folder}/log"; level = "error"; }}
actions {{ reject = 15; }}
metric "default" {{ actions {{ reject = 15; }} }}
worker "rspamd_proxy" {{ bind_socket = "{folder}/milter.sock mode=0666"; milter = yes; count = 1; timeout = 60s;
  upstream "local" {{ default = yes; self_scan = yes; }} }}
"""


def steps_of(size: int) -> list[tuple[Command, bytes, bytes]]:
    """Return the message as commands, each with what stands before it and what belongs to it."""
    headers = {
        "Received": "from [192.0.2.7] (unknown [192.0.2.7])\n\tby mail.isp.example (Postfix) with ESMTPSA id 4jYf",
        "Date": "Tue, 24 Nov 2026 10:23:56 +0000",
        "To": "ann@bigmail.example",
        "From": '"Rosa" <rosa@isp.example>',
        "Subject": "Quarterly numbers and the picnic",
        "Message-Id": "<20261124102356.020070@isp.example>",
        "X-Mailer": "Mail 1.0",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "User-Agent": "Mail",
    }
    line = b"La de da de da, lorem ipsum https://www.shop.example/a/b?c=1 and so on to the end.\r\n"
    told = frame(Command.MACROS, b"M{auth_authen}\0rosa@isp.example\0{auth_type}\0PLAIN\0")
    of_connection = frame(Command.MACROS, b"Cj\0mail.isp.example\0{daemon_name}\0submission\0")
    queue_id = b"i\x004jYf6h22m9zKXLT\0"
    return [
        (Command.CONNECT, of_connection, b"unknown\x004\x9c\x40192.0.2.7\0"),
        (Command.HELO, b"", b"laptop.example\0"),
        (Command.MAIL, told, b"<rosa@isp.example>\0"),
        (Command.RECIPIENT, frame(Command.MACROS, b"R" + queue_id), b"<ann@bigmail.example>\0"),
        (Command.DATA, b"", b""),
        *((Command.HEADER, b"", f"{name}\0 {value}\0".encode()) for name, value in headers.items()),
        (Command.END_OF_HEADERS, b"", b""),
        (Command.BODY, b"", (line * (size // len(line) + 1))[:size]),
        (Command.END_OF_MESSAGE, frame(Command.MACROS, b"E" + queue_id), b""),
    ]


def pieces_of(size: int, agreed: Step) -> list[bytes]:
    """Return what is sent between two answers."""
    pieces, unsent = [], b""
    for command, before, content in steps_of(size):
        if command in LEFT_OUT and LEFT_OUT[command] in agreed:
            continue
        unsent += before + frame(command, content)
        silent = Step.NO_ANSWER_TO_MAIL if command is Command.MAIL else UNANSWERED.get(command)
        if silent is None or silent not in agreed:
            pieces.append(unsent)
            unsent = b""
    return pieces


class Load:
    """So many messages of one size, over one socket."""

    def __init__(self, path: Path, size: int, messages: int) -> None:
        self._path, self._size, self._left = path, size, messages
        self._pieces: dict[int, list[bytes]] = {}

    async def run(self) -> None:
        """Hand them all in."""
        await asyncio.gather(*(self._hand_in() for _ in range(CONNECTIONS)))

    async def _hand_in(self) -> None:
        while self._left > 0:
            self._left -= 1
            reader, writer = await asyncio.open_unix_connection(self._path)
            writer.write(OFFER)
            steps = int.from_bytes((await self._answer(reader))[9:13], "big")
            if steps not in self._pieces:
                self._pieces[steps] = pieces_of(self._size, Step(steps))
            answer = b""
            for piece in self._pieces[steps]:
                writer.write(piece)
                answer = await self._answer(reader)
                while answer[0] in NO_ANSWERS:
                    answer = await self._answer(reader)
            if answer[:1] not in (b"a", b"c"):
                sys.exit(f"a message was not accepted: {answer!r}")
            writer.write(frame(Command.QUIT))
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


class AcceptAll:
    """Looks at nothing."""

    def may_refuse_senders(self) -> bool:
        """Return whether a sender may be refused."""
        return False

    def decide_sender(self, envelope: Envelope) -> Verdict:
        """Accept."""
        return Accept()

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict:
        """Accept."""
        return Accept()


async def serve(path: Path) -> None:
    """Be our filter, until killed."""
    listener = MilterListener(UnixEndpoint(path), AcceptAll(), SpoolSpace(path.parent), print)
    await listener.start()
    await asyncio.Event().wait()


@contextmanager
def filter_process(command: list[str], path: Path) -> Iterator[int]:
    """Run a filter until it is measured; gives its process id."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while not path.exists():
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit(f"{command[0]} does not listen")
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def filters(folder: Path) -> dict[str, tuple[list[str], Path]]:
    """Return the command and the socket of each filter that is there."""
    ours = folder / "ours.sock"
    found = {"outwarden": ([sys.executable, __file__, "--serve", str(ours)], ours)}
    if importlib.util.find_spec("uvloop"):
        fast = folder / "fast.sock"
        found["outwarden, uvloop"] = ([sys.executable, __file__, "--serve", str(fast), "--uvloop"], fast)
    if not (program := shutil.which("rspamd")) or os.geteuid() != 0:
        print("rspamd is left out: it is not installed, or this is not root")
        return found
    home = folder / "rspamd"
    home.mkdir()
    (home / "rspamd.conf").write_text(RSPAMD.format(folder=home))
    shutil.chown(home, "_rspamd", "_rspamd")
    argv = [program, "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", str(home / "rspamd.conf")]
    found[PEER] = (argv, home / "milter.sock")
    return found


def rate(pid: int, path: Path, size: int, messages: int) -> float:
    """Return the messages per second of the filter's processor time."""
    asyncio.run(Load(path, size, messages // 10).run())
    before = cpu_seconds(pid)
    asyncio.run(Load(path, size, messages).run())
    return messages / (cpu_seconds(pid) - before)


def main() -> None:
    """Measure and print."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        known = filters(folder)
        rates: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for name, (command, path) in known.items():
                path.unlink(missing_ok=True)
                with filter_process(command, path) as pid:
                    for label, size in SIZES.items():
                        rates.setdefault((name, label), []).append(rate(pid, path, size, messages))
    medians = {key: statistics.median(found) for key, found in rates.items()}
    print(f"{messages:,} messages of each size; messages per second and core of the filter")
    print(f"{'':24}" + "".join(f"{label:>10}" for label in SIZES))
    for name in known:
        print(f"{name:24}" + "".join(f"{medians[name, label]:10,.0f}" for label in SIZES))
    for name in sorted(known.keys() - {PEER}) if PEER in known else ():
        ratios = [medians[name, label] / medians[PEER, label] for label in SIZES]
        print(f"{name + ' / rspamd':24}" + "".join(f"{ratio:10.2f}" for ratio in ratios))


if __name__ == "__main__":
    if "--serve" in sys.argv:
        if "--uvloop" in sys.argv:
            import uvloop

            uvloop.install()
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        main()
