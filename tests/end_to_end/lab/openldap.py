"""A real OpenLDAP on a port of its own, with ppolicy and what Active Directory calls its attributes."""

import shutil
from pathlib import Path
from urllib.parse import quote

from lab.certificates import Certificates
from lab.one_server import OneServer, as_nobody, give, own_folder
from lab.waiting import answers, free_port

_PATH = "/usr/sbin:/usr/libexec:/usr/lib/openldap"
_SLAPD, _SLAPADD = shutil.which("slapd", path=_PATH), shutil.which("slapadd", path=_PATH)
INSTALLED = bool(_SLAPD and _SLAPADD and Path("/etc/ldap/schema/core.schema").exists())
BASE = "dc=isp,dc=example"
_SETTINGS = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.90 NAME 'unicodePwd' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.96 NAME 'pwdLastSet' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'appPassword' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.32473.1.2 NAME 'oneOfOurs' SUP top AUXILIARY
  MAY ( unicodePwd $ userAccountControl $ pwdLastSet $ appPassword ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
{tls}
database mdb
suffix "dc=isp,dc=example"
rootdn "cn=root,dc=isp,dc=example"
rootpw root
directory {folder}/entries
overlay ppolicy
ppolicy_default "cn=policy,dc=isp,dc=example"
{access}
"""
_ACCESS = """\
access to attrs=userPassword by dn.exact="cn=outwarden,dc=isp,dc=example" write by anonymous auth
access to attrs=pwdAccountLockedTime,pwdReset,appPassword,unicodePwd,userAccountControl,pwdLastSet
  by dn.exact="cn=outwarden,dc=isp,dc=example" write
  by dn.exact="gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth" write
access to * by dn.exact="cn=outwarden,dc=isp,dc=example" read by dn.exact="cn=reader,dc=isp,dc=example" read
  by dn.exact="gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth" read
"""


class OpenLdap:
    """The server; whoever reaches it as ``cn=root`` with the password ``root`` may do everything."""

    def __init__(self, home: Path, entries: str, certificates: Certificates | None = None) -> None:
        folder, log = own_folder(home / "openldap"), home / "openldap.log"
        own_folder(folder / "entries")
        tls = ""
        if certificates is not None:
            tls = f"TLSCertificateFile {certificates.certificate}\nTLSCertificateKeyFile {certificates.key}"
            give(certificates.key)
        settings, ldif = home / "slapd.conf", home / "entries.ldif"
        settings.write_text(_SETTINGS.format(folder=folder, tls=tls, access=_ACCESS))
        ldif.write_text(entries)
        as_nobody([_SLAPADD or "", "-q", "-f", settings, "-l", ldif], log)
        self.port, self.tls_port = free_port(), free_port()
        self.socket_url = "ldapi://" + quote(f"{folder}/socket", safe="")
        urls = f"ldap://127.0.0.1:{self.port}/ {self.socket_url}"
        if certificates is not None:
            urls += f" ldaps://127.0.0.1:{self.tls_port}/"
        self._command = [_SLAPD or "", "-f", settings, "-h", urls, "-d", "0"]
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it, again after a stop."""
        self._server = OneServer(self._command, self._log, lambda: answers(self.port))

    def stop(self) -> None:
        """End it."""
        self._server.stop()
