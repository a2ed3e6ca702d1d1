"""A real OpenSMTPD on a port of its own.

Its package conflicts with that of Postfix, so it is unpacked, not installed.  Where its queue and its
helpers lie is built in: a mount namespace of its own shows it empty folders there, which the host never
sees.  libnss-wrapper lets it find its users.  Nobody logs in: the TLS without which it takes no
password does not work in Debian 12's build (an error of its split between processes and OpenSSL 3).
"""

import subprocess
from pathlib import Path

import pytest
from lab.debian import unpacked
from lab.mail_server import MailServer
from lab.smtp_world import Sink
from lab.syslog import Syslog
from lab.waiting import answers, free_port, wait_until

_SETTINGS = """\
table aliases {{ "club" = "content-club@bigmail.example", "@" = "mail" }}
listen on 127.0.0.1 port {port} hostname mail.isp.example
action "here" mda "/bin/cat >/dev/null" virtual <aliases>
action "out" relay host smtp://{sink.address}:{sink.port}
match from any for domain "isp.example" action "here"
match from src 127.0.7.0/24 for any action "out"
match from local for any action "out"
"""
_IN_A_NAMESPACE_OF_ITS_OWN = """\
set -e
package=$1 home=$2
mount -t tmpfs none /usr/libexec
cp -r "$package/usr/libexec/opensmtpd" /usr/libexec/
mount -t tmpfs none /run
mkdir /run/home
mount --bind "$home" /run/home
mount -t tmpfs none /var/lib
mkdir -p /var/lib/opensmtpd/empty
mount -t tmpfs none /var/spool
mkdir -m 711 /var/spool/smtpd
export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/run/home/users NSS_WRAPPER_GROUP=/run/home/groups
exec /run/home/smtpd -F -f /run/home/smtpd.conf
"""
_USERS = """\
root:x:0:0:root:/:/bin/sh
mail:x:8:8:mail:/var/mail:/bin/false
opensmtpd:x:65533:65533:smtpd:/var/lib/opensmtpd/empty:/bin/false
opensmtpq:x:65532:65532:smtpd queue:/var/lib/opensmtpd/empty:/bin/false
"""
_GROUPS = "root:x:0:\nmail:x:8:\nopensmtpd:x:65533:\nopensmtpq:x:65532:\n"


class OpenSmtpd(MailServer):
    """One instance; ``log`` is what it says to syslog."""

    def __init__(self, home: Path, sink: Sink) -> None:
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
            pytest.skip("this host grants no mount namespace, and OpenSMTPD's folders are built in")
        package = unpacked("opensmtpd")
        self.log, self.port = home / "maillog", free_port()
        (home / "smtpd").write_bytes((package / "usr/sbin/smtpd").read_bytes())
        (home / "smtpd").chmod(0o755)
        (home / "smtpd.conf").write_text(_SETTINGS.format(port=self.port, sink=sink))
        (home / "users").write_text(_USERS)
        (home / "groups").write_text(_GROUPS)
        self._syslog = Syslog(self.log, "mail")
        self._daemon = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _IN_A_NAMESPACE_OF_ITS_OWN, "sh", package, home],
            stdin=subprocess.DEVNULL,
        )
        wait_until(lambda: answers(self.port), "OpenSMTPD")

    def stop(self) -> None:
        """End the daemon and its log."""
        self._daemon.terminate()
        self._daemon.wait(10)
        self._syslog.stop()
