"""A real Exim in a folder of its own, on a port of its own.

Debian's package of Exim conflicts with that of Postfix, so its program is fetched with apt-get and
unpacked beside the project, not installed.  It insists on a user named Debian-exim: libnss-wrapper
lets it find one (in truth the user mail) without any change of the host.
"""

import os
import subprocess
from pathlib import Path

from lab.debian import unpacked
from lab.mail_server import UnpackedServer
from lab.smtp_world import Sink
from lab.waiting import answers, free_port, wait_until

_SETTINGS = r"""
exim_path = {program}
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
keep_environment = ^LD_ : ^NSS_
spool_directory = {home}/spool
log_file_path = {home}/log/%slog
log_selector = {selectors}
primary_hostname = mail.isp.example
qualify_domain = isp.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
disable_ipv6 = true
tls_advertise_hosts =
host_lookup =
auth_advertise_hosts = *
acl_smtp_rcpt = accept_known
smtp_enforce_sync = false
begin acl
accept_known:
  accept authenticated = *
  accept domains = isp.example
  deny message = relay not permitted
begin routers
alias:
  driver = redirect
  domains = isp.example
  local_parts = club
  data = content-club@bigmail.example
here:
  driver = accept
  domains = isp.example
  transport = mailbox
out:
  driver = manualroute
  transport = remote
  route_list = * {sink.address}
  self = send
begin transports
mailbox:
  driver = appendfile
  directory = {home}/mail/all
  maildir_format
  create_directory
  user = mail
  group = mail
remote:
  driver = smtp
  port = {sink.port}
  allow_localhost
begin retry
given-up.example * F,1s,1s
* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{secret of $auth2}}}}
  server_set_id = $auth2
"""
_USERS = "root:x:0:0:root:/:/bin/sh\nmail:x:8:8:mail:/var/mail:/bin/false\nDebian-exim:x:8:8:exim:/:/bin/false\n"
_GROUPS = "root:x:0:\nmail:x:8:\nDebian-exim:x:8:\n"


def exim_program(content_scanning: bool = False) -> Path:
    """Return the path of Exim's program; skip the test where it cannot be had."""
    if content_scanning:
        # With the libraries that Debian has for it alone.
        return unpacked("exim4-daemon-heavy", "libmariadb3", "libidn12", "libspf2-2") / "usr/sbin/exim4"
    return unpacked("exim4-daemon-light") / "usr/sbin/exim4"


class Exim(UnpackedServer):
    """One instance; ``log`` is its mainlog."""

    def __init__(self, home: Path, program: Path, sink: Sink, selectors: str) -> None:
        self.home, self.log, self.port = home, home / "log/mainlog", free_port()
        # A copy, because Exim's own user must be able to reach it.
        self._program = home / "exim4"
        self._program.write_bytes(program.read_bytes())
        self._program.chmod(0o755)
        (home / "libraries").mkdir()
        for library in program.parents[1].glob("lib/**/*.so.*"):
            (home / "libraries" / library.name).write_bytes(library.read_bytes())
        for folder in ("spool", "log", "mail"):
            (home / folder).mkdir()
            subprocess.run(["chown", "8:8", home / folder], check=True)
        (home / "users").write_text(_USERS)
        (home / "groups").write_text(_GROUPS)
        self._settings = home / "exim.conf"
        self._settings.write_text(
            _SETTINGS.format(program=self._program, home=home, port=self.port, sink=sink, selectors=selectors)
        )
        self._environment = {
            **os.environ,
            "LD_PRELOAD": "libnss_wrapper.so",
            "LD_LIBRARY_PATH": str(home / "libraries"),
            "NSS_WRAPPER_PASSWD": str(home / "users"),
            "NSS_WRAPPER_GROUP": str(home / "groups"),
        }
        with (home / "exim.err").open("w") as complaints:
            self._daemon = subprocess.Popen(
                [self._program, "-C", self._settings, "-bdf"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stderr=complaints,
            )
        wait_until(lambda: answers(self.port), "Exim")

    def stop(self) -> None:
        """End the daemon."""
        self._daemon.terminate()
        self._daemon.wait(10)
