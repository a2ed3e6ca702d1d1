"""Lists of one's own and a resolver that knows nothing else: rbldnsd, and a real unbound before it, on loopback.

Two lists of client addresses, three of domains, one of new domains; whatever else is asked does not exist.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.waiting import answers, free_port, wait_until

CLIENTS, DOMAINS, YOUNG = ("exploited", "attackers"), ("spam", "phishing", "malware"), "young"
_DAEMONS = "/usr/sbin:/usr/bin:/usr/local/sbin"
_UNBOUND = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "{home}"
  pidfile: "{home}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "." static
  local-zone: "lists.example." transparent
stub-zone:
  name: "lists.example."
  stub-addr: 127.0.0.1@{lists}
remote-control:
  control-enable: yes
  control-interface: {home}/control.sock
  control-use-cert: no
"""
_ENTRY = """
[{name}]
operator = "us"
zone = "{name}.lists.example"
meaning = "invented"
asks = ["{asks}"]
tier = "major"
life = {{ state = "alive", source = "us" }}
codes = {{ "127.0.0.2" = {{ means = "listed", votes = "{votes}" }} }}
{more}
"""
_HEAD = "$SOA 300 ns.lists.example hostmaster.lists.example 1 600 300 86400 300\n$TTL 300\n:127.0.0.2:listed\n"


class LocalLists:
    """``resolver`` is where to ask, ``catalogue`` the file that describes the lists, ``pids`` who serves them."""

    def __init__(self, home: Path, resolver: int, pids: list[int]) -> None:
        self.resolver, self.catalogue, self.pids = f"127.0.0.1:{resolver}", home / "lists.toml", pids
        self._settings = home / "unbound.conf"

    def asked(self) -> int:
        """Return how many questions unbound has heard."""
        program = shutil.which("unbound-control", path=_DAEMONS) or "unbound-control"
        said = subprocess.run(
            [program, "-c", str(self._settings), "stats_noreset"], check=True, capture_output=True, text=True
        ).stdout
        return int(said.partition("total.num.queries=")[2].partition("\n")[0])


@contextmanager
def local_lists(home: Path) -> Iterator[LocalLists]:
    """Serve them from this folder, until they are not needed any more."""
    home.mkdir()
    home.chmod(0o755)
    (home / "addresses").write_text(f"{_HEAD}127.0.0.2\n" + "".join(f"192.0.2.{n}\n" for n in range(0, 256, 9)))
    (home / "names").write_text(f"{_HEAD}test\n" + "".join(f"bad{n}.example\n" for n in range(1000)))
    (home / "lists.toml").write_text(_catalogue())
    lists, resolver = _free_udp_port(), free_port()
    (home / "unbound.conf").write_text(_UNBOUND.format(port=resolver, lists=lists, home=home))
    zones = [f"{name}.lists.example:ip4set:addresses" for name in CLIENTS]
    zones += [f"{name}.lists.example:dnset:names" for name in (*DOMAINS, YOUNG)]
    serve = [_program("rbldnsd"), "-n", "-u", "nobody", "-b", f"127.0.0.1/{lists}", "-w", str(home), *zones]
    with (home / "log").open("wb") as log:
        servers = [
            subprocess.Popen(argv, stdout=log, stderr=log)
            for argv in (serve, [_program("unbound"), "-d", "-c", str(home / "unbound.conf")])
        ]
        try:
            wait_until(lambda: answers(resolver), f"unbound; see {home}/log")
            yield LocalLists(home, resolver, [server.pid for server in servers])
        finally:
            for server in servers:
                server.terminate()
                server.wait(10)


def _catalogue() -> str:
    entries = [(name, "ipv4", "compromise", "") for name in CLIENTS]
    entries += [(name, "domain", "domain", "") for name in DOMAINS]
    entries.append((YOUNG, "domain", "domain", "new_within_days = 5"))
    return "".join(_ENTRY.format(name=name, asks=asks, votes=votes, more=more) for name, asks, votes, more in entries)


def _program(name: str) -> str:
    found = shutil.which(name, path=_DAEMONS)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
