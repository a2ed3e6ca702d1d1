"""A real Sendmail in a folder of its own, on a port of its own, with logins through Cyrus SASL.

Its package conflicts with that of Postfix, so it is unpacked, not installed.  libnss-wrapper gives it
a host name, without which it would wait a minute at the start.  It trusts no file below a
folder that others may write to, so ``home`` must lie elsewhere.
"""

import os
import subprocess
from pathlib import Path

from lab.debian import unpacked
from lab.mail_server import UnpackedServer
from lab.smtp_world import Sink
from lab.syslog import Syslog
from lab.waiting import answers, free_port, wait_until

_SETTINGS = """\
divert(0)dnl
include(`{cf}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mail.isp.example')dnl
define(`QUEUE_DIR', `{home}/queue')dnl
define(`ALIAS_FILE', `{home}/aliases')dnl
define(`STATUS_FILE', `{home}/statistics')dnl
define(`HELP_FILE', `{home}/helpfile')dnl
define(`confPID_FILE', `{home}/sendmail.pid')dnl
define(`confSERVICE_SWITCH_FILE', `{home}/switch')dnl
define(`confDEF_USER_ID', `8:8')dnl
define(`confTO_IDENT', `0')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`confAUTH_REALM', `isp.example')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`SMART_HOST', `relay:[{sink.address}]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {sink.port}')dnl
define(`LOCAL_MAILER_PATH', `{home}/mailbox')dnl
define(`LOCAL_MAILER_ARGS', `mailbox $u')dnl
define(`LOCAL_MAILER_FLAGS', `PS')dnl
MODIFY_MAILER_FLAGS(`LOCAL', `-w5:|/@')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port={port}, Addr=127.0.0.1, Name=MTA')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_DOMAIN(`isp.example')dnl
LOCAL_CONFIG
ESASL_CONF_PATH={home}/sasl
"""
_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {home}/sasldb
mech_list: PLAIN LOGIN
"""


class Sendmail(UnpackedServer):
    """One instance; ``log`` is what it says to syslog."""

    def __init__(self, home: Path, sink: Sink, accounts: dict[str, str]) -> None:
        package = unpacked("sendmail-bin", "sendmail-cf")
        self.log, self.port = home / "maillog", free_port()
        self._program, self._settings = home / "sendmail", home / "sendmail.cf"
        # A copy without the set-group-ID bit, with which the loader would not listen to us.
        self._program.write_bytes((package / "usr/libexec/sendmail/sendmail").read_bytes())
        self._program.chmod(0o755)
        (home / "queue").mkdir()
        (home / "aliases").write_text("club: content-club@bigmail.example\npostmaster: root\nMAILER-DAEMON: root\n")
        (home / "hosts").write_text("127.0.0.1 mail.isp.example localhost\n")
        (home / "switch").write_text("hosts files\naliases files\n")
        (home / "mailbox").write_text("#!/bin/sh\nexec cat >/dev/null\n")
        (home / "mailbox").chmod(0o755)
        cf = package / "usr/share/sendmail/cf"
        macros = _SETTINGS.format(cf=cf, home=home, port=self.port, sink=sink)
        built = subprocess.run(
            ["m4", f"-D_CF_DIR_={cf}/", "-"], input=macros, text=True, check=True, capture_output=True
        )
        self._settings.write_text(built.stdout)
        self._add_accounts(home, accounts)
        self._environment = {
            **os.environ,
            "LD_PRELOAD": "libnss_wrapper.so",
            "NSS_WRAPPER_HOSTNAME": "mail.isp.example",
            "NSS_WRAPPER_HOSTS": str(home / "hosts"),
        }
        self._syslog = Syslog(self.log, "mail")
        self._daemon = subprocess.Popen(
            [self._program, "-C", self._settings, "-bD"], env=self._environment, stdin=subprocess.DEVNULL
        )
        wait_until(lambda: answers(self.port), "Sendmail")

    def stop(self) -> None:
        """End the daemon and its log."""
        self._daemon.terminate()
        self._daemon.wait(10)
        self._syslog.stop()

    def queue_is_empty(self) -> bool:
        """Say whether everything has come to an end."""
        return "is empty" in self.run("-bp")

    @staticmethod
    def _add_accounts(home: Path, accounts: dict[str, str]) -> None:
        (home / "sasl").mkdir()
        (home / "sasl/Sendmail.conf").write_text(_SASL.format(home=home))
        for login, password in accounts.items():
            name, _, realm = login.partition("@")
            subprocess.run(
                ["saslpasswd2", "-c", "-p", "-f", home / "sasldb", "-u", realm, name],
                input=password,
                text=True,
                check=True,
            )
