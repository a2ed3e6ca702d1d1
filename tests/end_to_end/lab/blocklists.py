"""Blocklists of a story's own: rbldnsd has the zones, unbound is the resolver, and no question leaves this machine."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from lab.waiting import free_port, wait_until

_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
RBLDNSD, UNBOUND = (shutil.which(program, path=_PLACES) for program in ("rbldnsd", "unbound"))
LISTS = [
    pytest.mark.skipif(
        None in (RBLDNSD, UNBOUND), reason="rbldnsd or unbound is not installed (tests/debian-packages.txt)"
    )
]

_SOA = "$SOA 300 ns.example hostmaster.example 1 600 300 86400 300\n"
_KINDS = {"hosts": "ip4set", "domains": "dnset", "young": "dnset", "pages": "dnset"}
# What a list answers, after the control that it always lists.
_BEGINNINGS = {
    "hosts": ":127.0.0.4:exploited\n127.0.0.2\n",
    "domains": ":127.0.1.2:spam\ntest\n",
    "young": ":127.0.0.2:new\ntest\n",
    "pages": ":127.0.0.8:phishing\n2.0.0.127\n",
}
_CATALOGUE = """
[hosts]
zone = "hosts.lists.example"
operator = "us"
meaning = "exploited hosts, and where people live"
asks = ["ipv4"]
tier = "major"
life = { state = "alive", source = "us" }
[hosts.codes]
"127.0.0.4" = { means = "exploited", votes = "compromise" }
"127.0.0.10" = { means = "dynamic", votes = "policy" }
[domains]
zone = "domains.lists.example"
operator = "us"
meaning = "domains in spam"
asks = ["domain"]
tier = "major"
life = { state = "alive", source = "us" }
[domains.codes]
"127.0.1.2" = { means = "spam", votes = "domain" }
[young]
zone = "young.lists.example"
operator = "us"
meaning = "new domains"
asks = ["domain"]
tier = "major"
life = { state = "alive", source = "us" }
new_within_days = 5
[young.codes]
"127.0.0.2" = { means = "new" }
[pages]
zone = "pages.lists.example"
operator = "us"
meaning = "hashed pages"
asks = ["surbl-url"]
tier = "major"
life = { state = "alive", source = "us" }
[pages.codes]
"127.0.0.8" = { means = "phishing" }
"""
_RESOLVER = """
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  local-zone: "." static
  local-zone: "lists.example." transparent
stub-zone:
  name: "lists.example"
  stub-addr: 127.0.0.1@{lists}
remote-control:
  control-enable: no
"""


class Blocklists:
    """``hosts`` (exploited, or with the answer ``127.0.0.10`` dynamic), ``domains``, ``young``, ``pages`` by MD5.

    ``port`` is that of the resolver.
    """

    def __init__(self, home: Path, entries: Mapping[str, str]) -> None:
        folder = home / "lists"
        folder.mkdir()
        for name, beginning in _BEGINNINGS.items():
            (folder / name).write_text(f"{_SOA}{beginning}{entries.get(name, '')}", encoding="ascii")
        self.catalogue = folder / "lists.toml"
        self.catalogue.write_text(_CATALOGUE, encoding="ascii")
        self.port, lists = free_port(), free_port()
        self.resolver = f"127.0.0.1:{self.port}"
        configuration = folder / "unbound.conf"
        configuration.write_text(_RESOLVER.format(port=self.port, lists=lists, folder=folder), encoding="ascii")
        zones = [f"{name}.lists.example:{kind}:{name}" for name, kind in _KINDS.items()]
        with (folder / "log").open("w") as log:
            self._lists, self._resolver = (
                subprocess.Popen([str(program), *arguments], stdout=log, stderr=log)
                for program, arguments in (
                    (RBLDNSD, ["-n", "-b", f"127.0.0.1/{lists}", "-u", "nobody", "-r", str(folder), *zones]),
                    (UNBOUND, ["-d", "-c", str(configuration)]),
                )
            )
        wait_until(lambda: _says_listed(self.port), f"the blocklists; see {folder / 'log'}")

    @property
    def settings(self) -> str:
        """What the service is told of them."""
        return f'[blocklists]\ncatalogue = "{self.catalogue}"\n'

    def fall_silent(self) -> None:
        """Let them take questions and answer none."""
        self._lists.send_signal(signal.SIGSTOP)

    def speak_again(self) -> None:
        """Let them answer, also what was asked meanwhile."""
        self._lists.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End both."""
        self.speak_again()
        for process in (self._lists, self._resolver):
            process.terminate()
            process.wait(10)


def _says_listed(port: int) -> bool:
    """Ask whether the control is listed; RFC 1035 section 4.1."""
    name = b"".join(bytes([len(label)]) + label for label in b"2.0.0.127.hosts.lists.example".split(b"."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        try:
            client.connect(("127.0.0.1", port))
            client.send(b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1")
            answer = client.recv(512)
        except OSError:
            return False
    return answer.endswith(b"\x7f\0\0\4")
