"""A real Postfix in a folder of its own, on ports of its own.

Nothing of it touches the host: own queue, own settings, own log, no DNS (every remote domain goes to
the sink by ``relayhost``).  Master needs root; the folders above must be traversable by others.
"""

import subprocess
from pathlib import Path

from lab.mail_server import MailServer
from lab.smtp_world import Sink
from lab.waiting import answers, free_port, wait_until

_MAIN = """\
compatibility_level = 3.6
config_directory = {home}/etc
queue_directory = {home}/spool
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_tls_security_level =
myhostname = mail.isp.example
myorigin = isp.example
mydestination =
local_recipient_maps =
local_transport = error:no local delivery
alias_maps =
alias_database =
relayhost = [{sink.address}]:{sink.port}
virtual_mailbox_domains = isp.example
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 8
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_transport = virtual
virtual_alias_maps = inline:{{ {{club@isp.example=content-club@bigmail.example}} }}
mynetworks = 127.0.0.1/32
smtpd_recipient_restrictions =
smtpd_relay_restrictions = permit_sasl_authenticated, permit_mynetworks, permit_auth_destination, reject
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_client_connection_rate_limit = 0
smtpd_authorized_xforward_hosts = 127.0.0.1/32
enable_long_queue_ids = {long_ids}
biff = no
"""
_MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{filtered} inet n - n - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o content_filter=scan:[127.0.0.1]:{filter}
127.0.0.1:{back} inet n - n - - smtpd
  -o receive_override_options=no_address_mappings
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
scan unix - - n - 2 smtp
  -o smtp_send_xforward_command=yes
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(MailServer):
    """One instance: ``smtp`` for strangers, ``submission`` with login, ``filtered`` with a content filter too.

    ``settings`` are more lines for its main.cf.
    """

    def __init__(self, home: Path, sink: Sink, long_queue_ids: bool = True, settings: str = "") -> None:
        self.home, self.log = home, home / "maillog"
        self.smtp, self.submission, self.filtered = free_port(), free_port(), free_port()
        self.back, self.filter = free_port(), free_port()
        self._long_queue_ids, self._sink = long_queue_ids, sink
        self._settings = settings
        for folder, owner in (("etc", "root"), ("spool", "root"), ("data", "postfix"), ("mail", "mail")):
            (home / folder).mkdir()
            subprocess.run(["chown", owner, home / folder], check=True)
        # Dovecot makes its socket here before Postfix has started.
        (home / "spool/private").mkdir()
        subprocess.run(["chown", "postfix", home / "spool/private"], check=True)
        (home / "spool/private").chmod(0o700)

    @property
    def socket(self) -> Path:
        """Where Postfix asks for logins."""
        return self.home / "spool/private/auth"

    def start(self, filter_port: int) -> None:
        """Write the settings and start; return when it answers."""
        ids = "yes" if self._long_queue_ids else "no"
        main = _MAIN.format(home=self.home, sink=self._sink, long_ids=ids)
        (self.home / "etc/main.cf").write_text(main + self._settings)
        ports = {"smtp": self.smtp, "submission": self.submission, "filtered": self.filtered, "back": self.back}
        (self.home / "etc/master.cf").write_text(_MASTER.format(**ports, filter=filter_port))
        self.run("postfix", "start")
        wait_until(lambda: answers(self.submission) and answers(self.back), "Postfix")

    def stop(self) -> None:
        """End the instance; Postfix finds its master by its own pid file."""
        self.run("postfix", "stop")

    def run(self, program: str, *arguments: str) -> str:
        """Run one of Postfix's own commands against this instance."""
        done = subprocess.run(
            [f"/usr/sbin/{program}", "-c", self.home / "etc", *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout
