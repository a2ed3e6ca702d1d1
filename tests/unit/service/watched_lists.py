"""A site that watches 192.0.2.10 on two lists of a DNS server on loopback, and its configuration file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.unit.dns.lying_lists import REFUSED, Behaviour, LyingLists, fails, lying_lists, says, zone

ROOT = Path(__file__).resolve().parents[3]
TEST, US = "2.0.0.127", "10.2.0.192"
HERE = says("127.0.0.2")
CLEAN: Behaviour = zone({TEST: HERE})
LISTED: Behaviour = zone({TEST: HERE, US: HERE})
REFUSING: Behaviour = zone({}, fails(REFUSED))
_TABLE = """
[{name}]
operator = "Invented"
zone = "{name}.lists.example"
meaning = "a list"
asks = ["ipv4"]
tier = "{tier}"
delisting = {{ page = "https://{name}.example/remove" }}
life = {{ state = "alive", source = "invented" }}
[{name}.codes]
"127.0.0.2" = {{ means = "spam source", votes = "spam-source" }}
"""


class Site:
    """The folder with everything, and the server; ``says`` changes what a list answers from now on."""

    def __init__(self, folder: Path, server: LyingLists) -> None:
        self.folder = folder
        self.server = server
        self.file = folder / "outwarden.toml"
        self.store = folder / "store.db"
        self.sent = folder / "sent"

    def says(self, name: str, behaviour: Behaviour) -> None:
        self.server.zones[f"{name}.lists.example"] = behaviour

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTWARDEN")}
        return kept | {"PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8"}

    def outwarden(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "outwarden", "--config", str(self.file), *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "outwarden", "--config", str(self.file), "run"],
            env=self.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )


@contextlib.contextmanager
def watched_site(folder: Path, **lists: Behaviour) -> Iterator[Site]:
    """A site whose ``big`` list is a major one and whose ``small`` is not; both are clean unless told otherwise."""
    zones = {f"{name}.lists.example": behaviour for name, behaviour in ({"big": CLEAN, "small": CLEAN} | lists).items()}
    with lying_lists(zones) as server:
        site = Site(folder, server)
        (folder / "lists.toml").write_text(
            _TABLE.format(name="big", tier="major") + _TABLE.format(name="small", tier="minor")
        )
        site.file.write_text(
            f'[site]\naddresses = ["192.0.2.10"]\n[store]\npath = "{site.store}"\n'
            f'[dns]\nresolver = "127.0.0.1:{server.port}"\ndeadline_seconds = 0.3\n'
            f'[blocklists]\ncatalogue = "{folder}/lists.toml"\nqueries_per_second = 100\n'
            f'[alarms]\ncommand = ["{sys.executable}", "-I", "-S", "{folder}/command.py", "{{line}}"]\n'
        )
        (folder / "command.py").write_text(
            f"import sys\nwith open({str(site.sent)!r}, 'a') as file:\n    file.write(sys.argv[1] + '\\n')\n"
        )
        yield site
