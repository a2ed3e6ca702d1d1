"""What Exim itself writes into its main log beside the lines of a message's life.

These lines carry no event; they are known so that what is *not* known can be counted.  The main
log also takes free text of the site's own ACLs and filters (``logwrite``, ``log_message``); no
list can know that text, so it counts as not understood unless it stands behind Exim's own words.
Collected from the calls of ``log_write`` in Exim 4.98's source and from its own test logs.
"""

import re

_BEGINNINGS = (
    # A refusal or warning of an ACL begins with the peer and the sender; a failed host with its name.
    r"[HUF]=",
    r"[^ ]+ \[[^\] ]+\](?::\d+)?:? [A-Z]",
    r"\[[0-9A-Za-z.:]+\](?::\d+)? (?:SSL|TLS|after QUIT)",
    r"rejected |temporarily rejected |unqualified |too many |invalid |ridiculously long |overlong ",
    # The daemon and the queue runners.
    r"exim [^ ]+ daemon |pid [^ ]+: SIG|listen backlog |socket bind|daemon: |Warning: |\+\+\+ ",
    r"(?:Start|End) (?:'[^']*' |ODMR )?queue run|Abandon queue run|queue run: |notify triggered queue run",
    # SMTP sessions.
    r"SMTP |TLS |SSL |ETRN |ATRN |VRFY |PRDR |EHLO/HELO response |Ci=[^ ]+ SMTP peer ",
    r"[Cc]onnection from |refused connection |temporarily refused connection ",
    r"Remote host closed connection|Remote end closed|peer close |unexpected |timed out ",
    r"no MAIL in |no host name found |no IP address found |ident connection |host name alias |ignoring AUTH=",
    r"DKIM: |ARC: |DANE |OCSP |Server certificate |Required TLS |Received TLS |spf |Long |callout ",
    # What happens to a message on the queue.
    r"no immediate delivery: |Message (?:is frozen|removed|abandoned)|[Ff]rozen|[Uu]nfrozen ",
    r"[Rr]emoved by |cancelled by |address <|recipient <|sender address changed|moved from ",
    r"original recipients ignored|=> (?:blackhole|discarded) |Delivery (?:deferred|status) |qualify/rewrite: ",
    r"remote host address is the local host|Spool |spool |Format error|bounce_message_file ",
    # Trouble.
    r"Error |Failed to |failed to |[Uu]nable to |[Cc]annot |Couldn't |[Cc]ould not |attempt to |[Tt]ainted ",
    r"[Pp]rocess |remote delivery process|delivery process|Child mail process|bad local_part|shadow transport ",
    r"log directory space|log string overflowed|setrlimit|getrlimit|exec of |fork |2nd fork |bind of ",
    r"malware acl condition|spam acl condition|internal scanner error|LDAP |ACL for |[Ee]xpansion ",
    r"configured error code ",
    # The second and later parts of a line that was too long for syslog.
    r"\[\d+[/\\]\d+\] ",
)
_INSIDE = (
    r" authenticator failed|: error ignored|discarded by [A-Za-z-]+ ACL| transport output: | router: ",
    r" transport process | lost while reading | incomplete transaction | found in headers|: rejected by ",
    r" dropped: | sender verify | Warning: |: message too big| lost input | closed by ",
)
_KNOWN_BEGINNING = re.compile("|".join(_BEGINNINGS))
_KNOWN_INSIDE = re.compile("|".join(_INSIDE))


def is_known(text: str) -> bool:
    """Say whether Exim itself writes such a line, although it carries no event for us."""
    return _KNOWN_BEGINNING.match(text) is not None or _KNOWN_INSIDE.search(text) is not None
