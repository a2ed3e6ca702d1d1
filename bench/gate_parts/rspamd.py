"""A real rspamd that asks the same lists about clients and links, and limits rates where there is a Redis."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab.waiting import answers, free_port, wait_until

from gate_parts.local_lists import CLIENTS, DOMAINS, YOUNG

_SETTINGS = """
options {{ filters = []; explicit_modules = []; local_addrs = []; pidfile = "{home}/pid";
  dns {{ nameserver = ["{resolver}:10"]; timeout = 1s; sockets = 16; retransmits = 2; }}
  control_socket = "{home}/control.sock mode=0600"; tempdir = "{home}";
  url_tld = "{home}/domains"; hs_cache_dir = "{home}"; cache_file = "{home}/cache"; }}
logging {{ type = "file"; filename = "{home}/log"; level = "warning"; }}
modules {{ {modules} }}
actions {{ reject = 15; }}
metric "default" {{ actions {{ reject = 15; }} }}
worker "rspamd_proxy" {{ bind_socket = "{home}/milter.sock mode=0666"; milter = yes; count = 1; timeout = 60s;
  upstream "local" {{ default = yes; self_scan = yes; }} }}
rbl {{ default_exclude_users = false; default_exclude_local = false; default_unknown = true;
  rbls {{ {lists} }} }}
"""
_LIST = '{name} {{ symbol = "{symbol}"; rbl = "{name}.lists.example"; checks = [{checks}]; {more} }}\n'
_LIMIT = """
redis {{ servers = "127.0.0.1:{port}"; }}
ratelimit {{ rates {{ login = {{ selector = "user.lower";
  bucket = {{ burst = 1000000; rate = "1000000 / 1min"; }} }} }} }}
"""


class Rspamd:
    """``milter`` is its UNIX socket, ``limits`` whether it limits rates."""

    def __init__(self, milter: Path, pids: list[int], limits: bool) -> None:
        self.milter, self.pids, self.limits = milter, pids, limits


@contextmanager
def rspamd(home: Path, resolver: str) -> Iterator[Rspamd | None]:
    """Run it from this folder; None where it is not installed."""
    program = shutil.which("rspamd", path="/usr/bin:/usr/local/bin")
    if program is None:
        yield None
        return
    home.mkdir()
    with ExitStack() as running, (home / "words").open("wb") as words:
        modules, limit = ["rbl"], ""
        pids = []
        if redis := shutil.which("redis-server"):
            port = free_port()
            argv = [redis, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(home)]
            server = running.enter_context(_ended(subprocess.Popen(argv, stdout=words, stderr=words)))
            wait_until(lambda: answers(port), f"Redis; see {home}/words")
            modules, limit = ["rbl", "ratelimit"], _LIMIT.format(port=port)
            pids.append(server.pid)
        # In plain text it takes for a link only what ends in a domain that it knows.
        known = Path("/usr/share/rspamd/effective_tld_names.dat").read_text()
        (home / "domains").write_text(f"{known}\nexample\n")
        (home / "rspamd.conf").write_text(_configuration(home, resolver, modules) + limit)
        shutil.chown(home, "_rspamd", "_rspamd")
        argv = [program, "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", str(home / "rspamd.conf")]
        server = running.enter_context(_ended(subprocess.Popen(argv, stdout=words, stderr=words)))
        wait_until((home / "milter.sock").exists, f"rspamd; see {home}/words and {home}/log")
        yield Rspamd(home / "milter.sock", [server.pid, *pids], bool(limit))


def _configuration(home: Path, resolver: str, modules: list[str]) -> str:
    paths = " ".join(f'path = "/usr/share/rspamd/plugins/{module}.lua";' for module in modules)
    listed = 'returncodes {{ {symbol}_IS = "127.0.0.2"; }}'
    lists = [
        _LIST.format(name=name, symbol=name.upper(), checks=checks, more=listed.format(symbol=name.upper()))
        for names, checks in ((CLIENTS, "'from'"), ((*DOMAINS, YOUNG), "'urls'"))
        for name in names
    ]
    return _SETTINGS.format(home=home, resolver=resolver, modules=paths, lists="".join(lists))


@contextmanager
def _ended(server: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield server
    finally:
        server.terminate()
        server.wait(10)
