"""Every form of line that Postfix writes, one shape each: what kind it is, and its fields.

``postfix`` reads the few kinds that make events, fast.  This page knows the rest of the
vocabulary too, so that a line that nobody understands stands out, and one line can be read by
itself.  The shapes follow the format strings of Postfix 2.3 to 3.10.

Known limit: the text after ``warning:``, ``error:``, ``fatal:`` and ``panic:`` is kept whole.
"""

# ruff: noqa: E501 - one shape a line reads better than one folded.
import re
from functools import cache
from typing import NamedTuple

_LONGEST = 8192

_QUEUE_ID = r"(?P<queue_id>[0-9A-Za-z]{6,25}|NOQUEUE): "
_CLIENT = r"(?P<client_name>[^ \[\]]*+)\[(?P<client_address>[^\]]*+)\](?>(?::(?P<client_port>\d++))?)"
_RELAY = r"(?P<relay_name>[^ \[\]]*+)\[(?P<relay_address>[^\]]*+)\](?>(?::(?P<relay_port>\d++))?)"
_STAGE = r"(?P<stage>CONNECT|UNKNOWN|STARTTLS|AUTH|[A-Z]{3,8}|END-OF-MESSAGE|DATA content|message content|\.)"
# The service may be an address and a port itself: 127.0.0.1:2525:192.0.2.7.
_SERVICE = r"(?P<service>[^():]++(?::\d++)??):(?P<client_address>[\d.]++|[\da-fA-F:]++)"
_ENVELOPE = r"(?P<envelope>(?:from|to|proto|helo|sasl_username|size)[=<].*+)"
_REPLY = r"(?:(?P<reply_code>[245]\d\d) )?(?:(?P<status>[245]\.\d{1,3}\.\d{1,3}) )?"

# (kind, shape), tried in this order; a shape must match from the beginning to the end.
_SHAPES = (
    ("complaint", r"(?P<level>warning|error|fatal|panic): (?:(?P<client_name>[^ \[\]]++)\[(?P<client_address>[\da-fA-F.:]{3,45}|unknown)\]: )?(?P<text>.*)"),
    ("attempt", _QUEUE_ID + r"to=<(?P<recipient>.*?)>, (?:orig_to=<(?P<original_recipient>.*?)>, )?relay=(?P<relay>[^,]*+), "
                r"(?:conn_use=(?P<connection_use>\d++), )?(?:delay=(?P<delay>[^,]*+), )?(?:delays=(?P<delays>[^,]*+), )?"
                r"(?:tls=(?P<tls>[^,]*+), )?(?:dsn=(?P<status>[^,]*+), )?status=(?P<outcome>[\w-]++)(?: \((?P<reply>.*)\))?.*"),
    ("taken-up", _QUEUE_ID + r"from=<(?P<sender>.*)>, size=(?P<size>\d++), nrcpt=(?P<recipients>\d++) \(queue active\)"),
    ("expired", _QUEUE_ID + r"from=<(?P<sender>.*)>, status=(?P<outcome>(?:force-)?expired), returned to sender"),
    ("removed", _QUEUE_ID + r"removed"),
    ("skipped", _QUEUE_ID + r"(?:skipped, still being delivered|to be (?:removed|deferred).*|flush.*)"),
    ("client", _QUEUE_ID + r"client=" + _CLIENT + r"(?>(?:, (?P<login>.*+))?)"),
    ("local-submission", _QUEUE_ID + r"uid=(?P<uid>\d++) from=<(?P<sender>.*?)>(?>(?: orig_id=(?P<earlier_queue_id>\w++))?)"),
    ("message-id", _QUEUE_ID + r"(?:resent-)?message-id=<?(?P<message_id>.*?)>?"),
    ("notification", _QUEUE_ID + r"(?P<recipient>sender|postmaster) (?P<reason>non-delivery|delay|delivery status|[a-z -]+?) "
                     r"notification: (?P<notification_queue_id>\w++)"),
    ("queue-command", _QUEUE_ID + r"(?P<action>requeued|placed on hold|released from hold|(?:force-)?expired|deleted|.*"
                      r"(?:postsuper|renamed).*)"),
    ("queue-summary", r"(?P<action>Deleted|Requeued|Placed on hold|Released from hold|(?:Force-)?[Ee]xpired|Rename[^:]*): (?P<count>\d++) messages?"),
    ("proxy", r"(?:" + _QUEUE_ID + r")?proxy-(?P<result>accept|reject): " + _STAGE + r": ?" + _REPLY + r"(?P<reply>.*?);? ?" + _ENVELOPE),
    ("too-busy", _QUEUE_ID + r"(?P<action>reject): CONNECT from " + _CLIENT + r": (?P<reason>too many connections|all (?:server|screening) ports busy)"),
    ("policy", _QUEUE_ID + r"(?P<action>(?:milter-)?(?:reject|reject_warning|discard|filter|hold|redirect|warn|prepend|bcc|delay|sleep|client_warn)"
               r"|(?:milter|policy)-[a-z]++): " + _STAGE + r"(?: from " + _CLIENT + r")?: " + _REPLY
               + r"(?:[^<\[]{0,80}?[<\[](?P<about>[^>\]]*+)[>\]]:? )?(?P<text>.*?)(?:; " + _ENVELOPE + r")?"),
    ("content", _QUEUE_ID + r"(?P<action>warning|info|prepend|replace|reject|hold|discard|filter|redirect|ignore|strip|bcc|pass|warn"
                r"|milter-[a-z]++): (?P<part>header|mime|nested|body|content) (?P<about>.*) from (?:local|" + _CLIENT
                + r"); (?P<envelope>from=.*?)(?:: (?P<text>.*))?"),
    ("content", _QUEUE_ID + r"(?P<action>warning|info|prepend|replace|reject|hold|discard|milter-[a-z]++): (?P<text>.*)"),
    ("milter", _QUEUE_ID + r"milter[ -](?P<text>.*)"),
    ("remote-said", _QUEUE_ID + r"host " + _RELAY + r" (?:said|refused to talk to me): (?P<reply>.*?)"
                    r"(?: \(in reply to (?P<stage>[\w ]+?)(?: command)?\))?"),
    ("login-failed", _QUEUE_ID + r"SASL authentication failed; (?:server|cannot authenticate to server) " + _RELAY
                     + r"(?: said)?: (?P<reply>.*)"),
    ("lost-remote", _QUEUE_ID + r"(?P<reason>lost connection with|conversation with) " + _RELAY + r" (?P<text>.*)"),
    ("lost-remote", r"(?P<reason>lost connection with|conversation with) " + _RELAY + r" (?P<text>.*)"),
    ("pix-workaround", _QUEUE_ID + r"enabling PIX workarounds: (?P<workarounds>.*) for " + _RELAY),
    ("tls-refused", _QUEUE_ID + r"Cannot start TLS: (?P<reason>.*)"),
    ("tls-policy", _QUEUE_ID + r"TLS (?:is required|policy|may be).*"),
    ("delivery-note", _QUEUE_ID + r"(?P<text>(?:replace: |passing |breaking |sender |reason |command |SMTPUTF8|TLSRPT|no TLS|Host offered).*)"),
    ("connect", r"connect from " + _CLIENT),
    ("disconnect", r"disconnect from " + _CLIENT + r"(?: (?P<commands>\w++=.*))?"),
    ("lost-client", r"(?:NOQUEUE: )?(?P<reason>lost connection|timeout|too many errors|bare <[A-Z]++> received|SSL_accept:? ?.*) after "
                    + _STAGE + r"(?: \((?P<text>[^)]*+)\))? from " + _CLIENT),
    ("lost-client", r"(?P<reason>improper command pipelining) after " + _STAGE + r" from " + _CLIENT + r"(?:: ?(?P<text>.*))?"),
    ("lost-client", r"(?P<reason>SSL_accept error) from " + _CLIENT + r"(?:: (?P<text>.*))?"),
    ("lost-client", r"(?P<reason>reject|timeout|too many errors|non-SMTP command)[^\[]*? from " + _CLIENT + r"(?: after (?P<stage>\S++)|: (?P<text>.*))?"),
    ("tls", r"(?P<trust>[A-Z]\w++) TLS connection (?:established|reused) (?:from|to) "
            r"(?P<peer_name>[^ \[\]]*+)\[(?P<peer_address>[^\]]*+)\](?>(?::(?P<peer_port>\d++))?)(?: to (?P<server_name>\S++))?: "
            r"(?P<tls_version>\S++) with cipher (?P<cipher>\S++) \((?P<cipher_bits>[\d/]++) bits\)(?P<key_exchange>.*+)"),
    ("tls-setup", r"(?:setting up TLS connection|initializing the (?:client|server)-side TLS|SSL_(?:accept|connect):|save session|"
                  r"reloaded session|looking for session|Server certificate|subject_CN|Peer verification|certificate peer|issuer=|"
                  r"< \+\+\+|DANE|TLS (?:SNI|cert|library)|[^ ]*: subject_CN=|[^ ]*: (?:Matched|depth=|re-using|TLS cipher)).*"),
    ("certificate-failed", r"(?:server )?certificate verification failed for " + _RELAY + r": (?P<reason>.*)"),
    ("certificate-failed", r"(?:client |server )?certificate .*"),
    ("connect-failed", r"(?P<reason>SSL_connect error|connect) to " + _RELAY + r": (?P<text>.*)"),
    ("connect-failed", r"(?P<reason>connect) to (?P<relay_name>[^ ]++): (?P<text>.*)"),
    ("connection-rate", r"statistics: max connection rate (?P<count>\d++)/(?P<period>\w++) for \(" + _SERVICE + r"\) at (?P<stamp>.*)"),
    ("connection-count", r"statistics: max connection count (?P<count>\d++) for \(" + _SERVICE + r"\) at (?P<stamp>.*)"),
    ("client-statistics", r"statistics: max (?P<what>[\w ]+?) (?:rate |count )?(?P<count>\d++)(?:/(?P<period>\w++))? for \((?P<service>.*?)\) at (?P<stamp>.*)"),
    ("cache-size", r"statistics: max cache size (?P<count>\d++) at (?P<stamp>.*)"),
    ("lookup-statistics", r"statistics: (?P<what>\w++) lookup hits=(?P<found>\d++) miss=(?P<missed>\d++) success=(?P<percent>\d++)%"),
    ("statistics-start", r"statistics: start interval (?P<stamp>.*)"),
    ("statistics-most", r"statistics: max simultaneous domains=(?P<domains>\d++) addresses=(?P<addresses>\d++) connection=(?P<connections>\d++)"),
    ("blocklist-answer", r"addr (?P<client_address>\S++) (?:listed|blocked) by domain (?P<list>\S++) as (?P<answer>\S++)"),
    ("blocklist-rank", r"DNSBL rank (?P<rank>\d++) for " + _CLIENT),
    ("screened", r"(?P<verdict>(?:PASS|CONNECT|DISCONNECT|HANGUP|PREGREET|COMMAND|BARE|NON-SMTP|WHITELIST|ALLOWLIST|BLACKLIST|DENYLIST"
                 r"|WHITELISTED|ALLOWLISTED|BLACKLISTED|DENYLISTED|DNSBL)[A-Z -]*?)(?: COUNT LIMIT)? ?(?P<count>\d++)?"
                 r"(?: after (?P<seconds>[\d.]++))? ?(?:from|for)? ?" + _CLIENT
                 + r"(?: to \[(?P<server_address>[^\]]*+)\]:(?P<server_port>\d++))?(?: after (?P<stage>[^:]+?))?(?P<text>: .*| in tests after.*)?"),
    ("screened", r"(?:entering|leaving) (?P<stress>\w++) mode with (?P<count>\d++) connections"),
    ("cache-cleanup", r"cache (?P<cache>\S++) (?P<extent>full|partial) cleanup: retained=(?P<retained>\d++) dropped=(?P<dropped>\d++) entries"),
    ("cache-note", r"(?:close|open) (?:database|cache) .*|cache .*"),
    ("started", r"(?P<action>daemon started|reload)(?: --)? version (?P<version>[^ ,]++), configuration (?P<configuration>\S++)"),
    ("stopping", r"terminating on signal (?P<signal>\d++)"),
    ("script", r"(?:starting|stopping|refreshing|waiting|the Postfix mail system is|Postfix is|rotating|master|fixing|set-permissions)\b.*"),
    ("logins", r"(?:xsasl_|sasl |SASL |dict_|mysql|pgsql|ldap|plpgsql).*"),
    ("verify", r"(?P<address>\S++) is now (?P<state>\w++).*"),
    ("interval", r"(?:using backwards-compatible default setting|idle timeout|max(?:imum)?_|table .* has changed|name server|restarting|reloading).*"),
    ("complaint", _QUEUE_ID + r"(?P<level>warning|error|fatal|panic): (?P<text>.*)"),
)  # fmt: skip

_PROGRAMS = frozenset(
    "anvil bounce cleanup defer discard dnsblog error flush lmtp local master nqmgr oqmgr pickup pipe postalias "
    "postcat postdrop postfix postfix-script postkick postlock postlog postlogd postmap postmulti postqueue postscreen "
    "post-install postsuper proxymap proxywrite qmgr qmqpd retry scache script sendmail showq smtp smtpd spawn tlsmgr "
    "tlsproxy trace trivial-rewrite verify virtual".split()
)


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    # Not on import, and not all at once: few logs have lines of more than a handful of kinds.
    return re.compile(shape, re.DOTALL)


class PostfixLine(NamedTuple):
    """One line of Postfix: its kind, and the fields it has."""

    kind: str
    fields: dict[str, str]


def is_postfix_program(program: str) -> bool:
    """Say whether a syslog tag is one of Postfix's programs, whatever the instance is called.

    ``postfix/submission/smtpd``, ``postfix-239.58.50.50/smtp`` and ``mx2/cleanup`` are.
    """
    instance, slash, name = program.rpartition("/")
    return (bool(slash) and name in _PROGRAMS) or instance.startswith("postfix") or program == "postfix"


def read_line(message: str) -> PostfixLine | None:
    """Read what follows the syslog tag; None where it is of no form that Postfix is known to write."""
    message = message[:_LONGEST].rstrip("\r\n")
    for kind, shape in _SHAPES:
        found = _compiled(shape).fullmatch(message)
        if found is not None:
            return PostfixLine(kind, {name: text for name, text in found.groupdict().items() if text is not None})
    return None


def is_known_line(message: str) -> bool:
    """Say whether Postfix is known to write such a line."""
    return read_line(message) is not None
