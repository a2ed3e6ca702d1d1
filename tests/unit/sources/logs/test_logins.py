import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import Event, Login
from outwarden.sources.logs.logins import LoginLog
from outwarden.sources.logs.stamps import Stamps

NEWEST = datetime(2026, 12, 1, tzinfo=UTC)
SYSLOG = "Nov 23 03:12:45 mx1 "
CORPUS = Path(__file__).parents[5] / "shared" / "corpora" / "logs" / "login-lines"


def read(text: str, newest: datetime = NEWEST) -> tuple[LoginLog, list[Event]]:
    log = LoginLog(Stamps(newest))
    return log, [*log.feed(text), *log.finish()]


# Each line's (account, ok, service, client address); None where the line is known and makes no event.
DOVECOT = [
    ("a login",
     "dovecot: imap-login: Login: user=<rosa@ISP.example>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1, mpid=7, TLS",
     ("rosa@isp.example", True, "imap", "192.0.2.7")),
    ("a login as 2.4 writes it",
     "dovecot[1]: pop3-login: Logged in: user=<rosa>, method=PLAIN, rip=2001:db8::7, lip=2001:db8::1, session=<a>",
     ("rosa", True, "pop3", "2001:db8::7")),
    ("submission, a mapped address",
     "dovecot: submission-login: Login: user=<rosa>, method=LOGIN, rip=::ffff:192.0.2.7, lip=::ffff:198.51.100.1",
     ("rosa", True, "submission", "192.0.2.7")),
    ("managesieve through a proxy",
     "dovecot: managesieve-login: proxy(rosa): started proxying to 198.51.100.9:4190: user=<rosa>, rip=192.0.2.7",
     ("rosa", True, "managesieve", "192.0.2.7")),
    ("a proxied session that ends",
     "dovecot: imap-login: proxy(rosa): disconnecting 192.0.2.7 (Disconnected by client): user=<rosa>, rip=192.0.2.7",
     None),
    ("refused", "dovecot: imap-login: Disconnected (auth failed, 3 attempts in 9 secs): user=<rosa>, method=PLAIN, "
     "rip=192.0.2.7, lip=198.51.100.1, TLS, session=<a>", ("rosa", False, "imap", "192.0.2.7")),
    ("refused, as 2.4 writes it",
     "dovecot: imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): "
     "user=<rosa>, method=PLAIN, rip=192.0.2.7, lip=198.51.100.1", ("rosa", False, "imap", "192.0.2.7")),
    ("refused, without a name",
     "dovecot: pop3-login: Aborted login (auth failed, 1 attempts): method=CRAM-MD5, rip=192.0.2.7",
     ("", False, "pop3", "192.0.2.7")),
    ("plaintext refused", "dovecot: pop3-login: Aborted login (tried to use disabled plaintext auth): rip=192.0.2.7",
     ("", False, "pop3", "192.0.2.7")),
    ("nobody tried", "dovecot: imap-login: Disconnected (no auth attempts in 1 secs): user=<>, rip=192.0.2.7", None),
    ("the server could not ask",
     "dovecot: imap-login: Disconnected (auth service reported temporary failure): user=<rosa>, rip=192.0.2.7", None),
    ("a name made to look like an address",
     "dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<x, rip=198.51.100.66, y>, method=PLAIN, "
     "rip=192.0.2.7, lip=198.51.100.1", ("x, rip=198.51.100.66, y", False, "imap", "192.0.2.7")),
    ("a name made to look like a login",
     "dovecot: imap-login: Disconnected (auth failed, 1 attempts): user=<x: Login: user=<y>, method=PLAIN, "
     "rip=192.0.2.7, lip=198.51.100.1", ("x: Login: user=<y", False, "imap", "192.0.2.7")),
    ("a warning of its own", "dovecot: imap-login: Warning: something is odd", None),
    ("the password was wrong", "dovecot: auth: passwd-file(rosa,192.0.2.7): Password mismatch",
     ("rosa", False, "dovecot", "192.0.2.7")),
    ("nobody of that name", "dovecot: auth-worker(77): sql(rosa@isp.example,192.0.2.7,<a+b/c>): unknown user",
     ("rosa@isp.example", False, "dovecot", "192.0.2.7")),
    ("the name has a parenthesis open", "dovecot: auth: passwd-file(ro(sa,192.0.2.7): unknown user",
     ("sa", False, "dovecot", "192.0.2.7")),
    ("LDAP", "dovecot: auth: ldap(rosa,2001:db8::7,<a>): invalid credentials",
     ("rosa", False, "dovecot", "2001:db8::7")),
    ("PAM below Dovecot", "dovecot: auth-worker(1): conn unix:auth-worker (pid=2,uid=3): auth-worker<55>: "
     "pam(rosa,192.0.2.7): pam_authenticate() failed: Authentication failure (Password mismatch?)",
     ("rosa", False, "dovecot", "192.0.2.7")),
    ("2.4", "dovecot: auth(rosa@isp.example,192.0.2.7,sasl:plain)<a>: sql: Password mismatch",
     ("rosa@isp.example", False, "dovecot", "192.0.2.7")),
    ("2.4's worker", "dovecot: auth-worker(rosa@isp.example,192.0.2.7)<8>: request [1]: Info: sql: Password mismatch",
     ("rosa@isp.example", False, "dovecot", "192.0.2.7")),
]  # fmt: skip
OTHERS = [
    ("PAM", "auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=rosa "
     "rhost=192.0.2.7", ("rosa", False, "dovecot", "192.0.2.7")),
    ("PAM knows the account", "dovecot-auth: pam_sss(dovecot:auth): authentication failure; logname= uid=0 tty=dovecot "
     "ruser=rosa@isp.example rhost=192.0.2.7  user=rosa", ("rosa", False, "dovecot", "192.0.2.7")),
    ("PAM, a name like a field", "auth: pam_unix(dovecot:auth): authentication failure; tty=dovecot "
     "ruser=rhost=198.51.100.66 rhost=192.0.2.7", ("rhost=198.51.100.66", False, "dovecot", "192.0.2.7")),
    ("PAM below saslauthd", "saslauthd[9]: pam_unix(smtp:auth): authentication failure; logname= uid=0 ruser= rhost=  "
     "user=rosa", ("rosa", False, "smtp", None)),
    ("PAM of another program", "sshd[9]: pam_unix(sshd:auth): authentication failure; logname= uid=0 ruser= "
     "rhost=192.0.2.7  user=root", None),
    ("saslauthd", "saslauthd[9]: do_auth         : auth failure: [user=rosa] [service=smtp] [realm=isp.example] "
     "[mech=pam] [reason=PAM auth error]", ("rosa@isp.example", False, "smtp", None)),
    ("saslauthd, no realm", "saslauthd[9]:                 : auth failure: [user=rosa@isp.example] [service=imap] "
     "[realm=] [mech=rimap] [reason=remote server]", ("rosa@isp.example", False, "imap", None)),
    ("saslauthd for another program", "saslauthd[9]: do_auth         : auth failure: [user=rosa] [service=openvpn] "
     "[realm=] [mech=pam] [reason=PAM auth error]", None),
    ("Cyrus", "cyrus/imaps[9]: login: host.isp.example [192.0.2.7] rosa plaintext+TLS User logged in SESSIONID=<a>",
     ("rosa", True, "imap", "192.0.2.7")),
    ("Cyrus refuses", "cyrus/pop3[9]: badlogin: host.isp.example [192.0.2.7] plaintext rosa SASL(-13): "
     "authentication failure: checkpass failed", ("rosa", False, "pop3", "192.0.2.7")),
    ("Cyrus refuses without a name", "imap[9]: badlogin: [2001:db8::7] CRAM-MD5 [SASL(-13): authentication failure: "
     "incorrect digest response]", ("", False, "imap", "2001:db8::7")),
    ("Cyrus sieve", "sieve[9]: badlogin: host.isp.example[192.0.2.7] PLAIN authentication failure",
     ("", False, "sieve", "192.0.2.7")),
]  # fmt: skip
POSTFIX = [
    ("Postfix", "postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
     ("", False, "smtp", "192.0.2.7")),
    ("Postfix names the account", "postfix/submission/smtpd[9]: warning: unknown[2001:db8::7]: SASL PLAIN "
     "authentication failed: (reason unavailable), sasl_username=rosa@isp.example",
     ("rosa@isp.example", False, "submission", "2001:db8::7")),
    ("Postfix, a name like a field", "postfix/smtps/smtpd[9]: warning: unknown[192.0.2.7]: SASL PLAIN authentication "
     "failed: , sasl_username=a, sasl_username=b", ("a, sasl_username=b", False, "smtps", "192.0.2.7")),
    ("Postfix, another instance and a port", "postfix-out/smtpd[9]: warning: h.example[192.0.2.7]:55729: SASL login "
     "authentication failed:", ("", False, "smtp", "192.0.2.7")),
    ("Postfix could not ask", "postfix/smtpd[9]: warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: "
     "Connection lost to authentication server", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "message", "expected"), DOVECOT + OTHERS + POSTFIX, ids=[case[0] for case in DOVECOT + OTHERS + POSTFIX]
)
def test_a_line_is_a_login_or_none(name: str, message: str, expected: tuple[str, bool, str, str | None] | None) -> None:
    line = SYSLOG + message
    _, events = read(line + "\n")
    at = datetime(2026, 11, 23, 3, 12, 45, tzinfo=UTC)
    if expected is None:
        assert events == []
    else:
        account, ok, service, address = expected
        assert events == [Login(at, "mx1", account, ok, service, address, line)]


def test_lines_are_counted_where_they_belong() -> None:
    """Postfix's reader counts Postfix's lines; what another program wrote is nobody's here."""
    log, _ = read("".join(f"{SYSLOG}{message}\n" for _, message, _ in DOVECOT))
    assert (log.lines_understood, log.lines_not_understood) == (len(DOVECOT), 0)
    log, _ = read("".join(f"{SYSLOG}{message}\n" for _, message, _ in POSTFIX))
    assert (log.lines_understood, log.lines_not_understood) == (0, 0)
    log, _ = read(f"{SYSLOG}cron[1]: (root) CMD (login: true)\n{SYSLOG}local[1]: status=bounced (x: unknown user: y)\n")
    assert (log.lines_understood, log.lines_not_understood) == (0, 0)
    log, events = read("Nov 31 03:12:45 mx1 dovecot: imap-login: Login: user=<rosa>, rip=192.0.2.7\n")
    assert (log.lines_understood, log.lines_not_understood, events) == (0, 1, [])


STAMPS = [
    ("Dovecot's own, as syslog has it", "Nov 23 03:12:45 imap-login: Info: ", "2026-11-23T03:12:45+00:00", ""),
    ("Dovecot's own, with a year", "2026-11-23 03:12:45 imap-login: Info: ", "2026-11-23T03:12:45+00:00", ""),
    ("TAI64N", "@400000004c91b044077a9e94 imap-login: Info: ", "2010-09-16T05:50:50.125476+00:00", ""),
    ("RFC 3339", "2026-11-23T03:12:45.5+01:00 mx1 dovecot: imap-login: ", "2026-11-23T02:12:45.500000+00:00", "mx1"),
    ("a one-figure day in one column", "Nov 3 03:12:45 mx1 dovecot: imap-login: ", "2026-11-03T03:12:45+00:00", "mx1"),
]


@pytest.mark.parametrize(("name", "head", "at", "host"), STAMPS, ids=[case[0] for case in STAMPS])
def test_stamps_and_hosts(name: str, head: str, at: str, host: str) -> None:
    log, (event,) = read(f"{head}Login: user=<rosa>, method=PLAIN, rip=192.0.2.7\n")
    assert (event.at.isoformat(), event.host) == (at, host)
    assert log.lines_understood == 1


@pytest.mark.parametrize("what", ["given password: geheim", "SHA1 of given password: f638ff"])
def test_a_password_in_the_log_is_no_evidence(what: str) -> None:
    _, (event,) = read(f"{SYSLOG}dovecot: auth: sql(rosa,192.0.2.7): Password mismatch ({what})\n")
    assert isinstance(event, Login)
    assert event.line == SYSLOG + "dovecot: auth: sql(rosa,192.0.2.7): Password mismatch"


# Lines that count as attacks only in fail2ban's aggressive mode.  Nobody gave a password there.
NO_PASSWORD_GIVEN = ("no auth attempts", "before auth was ready", "didn't finish SASL auth", "during TLS handshake")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpora are not beside the project")
@pytest.mark.parametrize("name", ["dovecot", "postfix"])
def test_annotated_public_lines(name: str) -> None:
    verdict: dict[str, object] | None = None
    seen = 0
    for line in (CORPUS / name).read_text().splitlines():
        if "failJSON:" in line:
            verdict = json.loads(line.partition("failJSON:")[2])
        elif line and not line.startswith("#") and verdict is not None:
            if name == "dovecot" or " SASL " in line:
                seen += 1
                _, events = read(line + "\n", datetime(2014, 1, 1, tzinfo=UTC))
                refused = [event.client_address for event in events if isinstance(event, Login) and not event.ok]
                assert len(events) == len(refused)
                # One line stands there twice, as an attack and as none: it is a refused login.
                ambiguous = "Invalid authentication mechanism" in line
                expected = (verdict["match"] or ambiguous) and not any(part in line for part in NO_PASSWORD_GIVEN)
                assert refused == ([verdict.get("host", "192.0.2.5")] if expected else []), line
    assert seen > 10


@given(st.text(max_size=200), st.sampled_from([message for _, message, _ in DOVECOT + OTHERS + POSTFIX]))
def test_anything_behind_a_sign_is_harmless(text: str, message: str) -> None:
    log, _ = read(f"{SYSLOG}{message}{text}\n{SYSLOG}{text}{message}\n{text}")
    assert log.lines_not_understood == 0
