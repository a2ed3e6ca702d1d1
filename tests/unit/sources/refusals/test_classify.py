"""One text, one answer: class, and the fields beside it."""

import pytest

from outwarden.events import RefusalClass
from outwarden.sources.refusals import classify

LISTED_BY_SPAMHAUS = (
    "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org;"
    " https://www.spamhaus.org/query/ip/192.0.2.7"
)
REMOTE = "mx1.b.example[198.51.100.9]"
WRAPPED = [
    ("alone", LISTED_BY_SPAMHAUS),
    ("Postfix", f"host {REMOTE} said: {LISTED_BY_SPAMHAUS} (in reply to RCPT TO command)"),
    ("Postfix greeting", f"host {REMOTE} refused to talk to me: {LISTED_BY_SPAMHAUS}"),
    ("Postfix over lines", f"<a@b.example>: host\n    {REMOTE} said: {LISTED_BY_SPAMHAUS}".replace("; ", ";\n    ")),
    (
        "Exim",
        "SMTP error from remote mail server after RCPT TO:<a@b.example>: "
        f"host mx1.b.example [198.51.100.9]: {LISTED_BY_SPAMHAUS}",
    ),
    ("DSN", f"smtp; {LISTED_BY_SPAMHAUS}"),
    ("Exchange", f"[{{LED={LISTED_BY_SPAMHAUS}}};{{MSG=}};{{FQDN=mx1.b.example}};{{IP=198.51.100.9}};{{LRT=}}]"),
    ("qmail", f"198.51.100.9 does not like recipient. Remote host said: {LISTED_BY_SPAMHAUS}"),
    ("expired", f"delivery temporarily suspended: host {REMOTE} said: {LISTED_BY_SPAMHAUS}"),
    (
        "lines of a reply, joined",
        "554-5.7.1 Service unavailable; Client host [192.0.2.7] 554-5.7.1 blocked using zen.spamhaus.org; "
        "554 5.7.1 https://www.spamhaus.org/query/ip/192.0.2.7",
    ),
    (
        "lines of a reply, as Exim writes them",
        "554-5.7.1 Service unavailable; Client host [192.0.2.7] blocked\\n554 5.7.1 using zen.spamhaus.org",
    ),
    (
        "quoted-printable",
        "554 5.7.1 Service unavailable; Client host [192.0.2.7] blo=\ncked using zen.spamhaus.org; "
        "https://www.spamhaus.org/query/ip/192.0.=\n2.7",
    ),
]


@pytest.mark.parametrize(("name", "text"), WRAPPED, ids=[name for name, _ in WRAPPED])
def test_what_stands_around_a_reply_changes_nothing(name: str, text: str) -> None:
    refusal = classify(text)
    assert refusal.text == text
    assert (refusal.refusal_class, refusal.list, refusal.listed, refusal.status, refusal.permanent) == (
        RefusalClass.ADDRESS_BLOCKLISTED,
        "spamhaus-zen",
        "192.0.2.7",
        "5.7.1",
        True,
    )


PERMANENT = [
    ("the reply code rules", "450 5.1.1 User unknown", False),
    ("also over the status", "550 4.4.7 Message expired", True),
    ("the status alone", "4.2.2 Mailbox full", False),
    ("a reply in our own expiry", f"Message expired; last error: host {REMOTE} said: 451 4.3.0 Try later", False),
    ("no such mailbox here", "user unknown", True),
    ("no connection", "connect to mx.b.example[192.0.2.1]:25: Connection refused", False),
    ("no name service", "Name service error for name=b.example type=MX: Host not found, try again", False),
    ("no such host", "Name service error for name=b.example type=AAAA: Host not found", True),
    ("our own loop", "mail for b.example loops back to myself", True),
    ("Exim gives up", "all hosts for 'b.example' have been failing for a long time (and retry time not reached)", True),
    ("Exim retries", "retry time not reached for any host", False),
    ("Sendmail retries", "Deferred: Connection timed out with mx.b.example.", False),
    ("a pipe died", "Command died with status 127", True),
    ("our own pause", "deferred transport", False),
]


@pytest.mark.parametrize(("name", "text", "permanent"), PERMANENT, ids=[case[0] for case in PERMANENT])
def test_permanent(name: str, text: str, permanent: bool) -> None:
    assert classify(text).permanent is permanent


LISTED = [
    ("never the remote's own address", "host mx.b.example[198.51.100.9] said: 554 Your IP is on our block list", None),
    ("nor a masked one", "550 Client host [x.x.x.x] blocked using bl.spamcop.net", None),
    ("nor its name server's", "554 blocked using bl.spamcop.net [Your DNS IP: 198.51.100.53]", None),
    ("nor what the list answered", "550 127.0.0.4: Client host 192.0.2.7 blocked using bl.spamcop.net", "192.0.2.7"),
    ("an address beats a host name", "554 Client host [mail.shop.example] blocked by spamhaus; 192.0.2.7", "192.0.2.7"),
    ("a host name for want of one", "554 Client host [mail.shop.example] blocked by spamhaus", "mail.shop.example"),
    ("IPv6", "554 Client host [2001:db8::7] blocked using zen.spamhaus.org", "2001:db8::7"),
    ("the sender's domain", "554 Sender address [a@shop.example] blocked using dbl.spamhaus.org", "shop.example"),
    ("no address for a low score", "554 192.0.2.7 has a poor reputation", None),
    ("no address for a rate", "421 4.7.0 Error: too many connections from 192.0.2.7", None),
]


@pytest.mark.parametrize(("name", "text", "listed"), LISTED, ids=[case[0] for case in LISTED])
def test_listed(name: str, text: str, listed: str | None) -> None:
    assert classify(text).listed == listed


LISTS = [
    ("no part named", "550 Email blocked by SPAMHAUS", "spamhaus-zen"),
    ("two parts at once", "550 Your server is in the SpamHaus SBL-XBL database", "spamhaus-zen"),
    ("a part in prose", "550 192.0.2.7 is on the Exploits Block List, see spamhaus.org", "spamhaus-xbl"),
    ("a part in the link", "550 192.0.2.7 listed, see https://www.spamhaus.org/sbl/query/SBL123456", "spamhaus-sbl"),
    ("the domain list unnamed", "550 Service unavailable, MailFrom domain is listed in Spamhaus", "spamhaus-dbl"),
    ("the first of two", "554 blocked using cbl.abuseat.org; see https://www.spamhaus.org/query/ip/192.0.2.7", "cbl"),
    ("a level", "554 IP 192.0.2.7 is UCEPROTECT-Level 2 listed", "uceprotect-2"),
    ("a provider's own", "550 5.7.606 Access denied, banned sending IP [192.0.2.7]", "microsoft"),
    ("nobody's", "550 Your IP is on our block list", None),
    ("a word inside an address is no list", "550 5.1.1 <spamhaus@b.example>: User unknown", None),
]


@pytest.mark.parametrize(("name", "text", "list_id"), LISTS, ids=[case[0] for case in LISTS])
def test_list(name: str, text: str, list_id: str | None) -> None:
    assert classify(text).list == list_id


PROVIDERS = [
    ("fixed wording", "421 4.7.0 Suspicious. To best protect our users from spam, it was blocked", "google"),
    ("a link", "554 Message not allowed, see https://postmaster.yahooinc.com/error-codes", "yahoo"),
    ("a signature", "550 5.5.0 mailbox unavailable [AM6EUR05FT012.eop-eur05.prod.protection.outlook.com]", "microsoft"),
    ("the host that spoke", "host mx01.emig.gmx.net[198.51.100.9] said: 550 mailbox unavailable", "gmx"),
    ("the recipient's mailbox", "550 5.1.1 <a@icloud.com>: user does not exist", "apple"),
    ("not the sender's", "550 5.7.1 <a@gmail.com>: Sender address rejected: Access denied", None),
    ("not the list's operator", "554 Host [192.0.2.7] blocked using http://barracudanetworks.com/reputation/", None),
    ("not our own host", "554 <a8.smtp-out.google.com[192.0.2.7]>: Client host rejected: Access denied", None),
]


@pytest.mark.parametrize(("name", "text", "provider"), PROVIDERS, ids=[case[0] for case in PROVIDERS])
def test_provider(name: str, text: str, provider: str | None) -> None:
    assert classify(text).provider == provider


STATUS = [
    ("the first", "550-5.7.1 no 550 5.1.1 yes", "5.7.1"),
    ("in the wrapping", "X 4.4.7 (delivery time expired)", "4.4.7"),
    ("in brackets", "553 sorry (#5.7.1)", "5.7.1"),
    ("no address", "550 5.9.1.2 no", None),
    ("no version", "550 Exim 4.94.2 says no", None),
]


@pytest.mark.parametrize(("name", "text", "status"), STATUS, ids=[case[0] for case in STATUS])
def test_status(name: str, text: str, status: str | None) -> None:
    assert classify(text).status == status


def test_a_links_domain_is_told_from_the_senders() -> None:
    text = "552 5.7.0 Message contains a URL listed by SURBL (shop.example); see http://www.surbl.org/lists"
    assert classify(text).refusal_class is RefusalClass.URL_BLOCKLISTED
    assert classify(text, "isp.example").refusal_class is RefusalClass.URL_BLOCKLISTED
    assert classify(text, "shop.example").refusal_class is RefusalClass.DOMAIN_BLOCKLISTED


PRECEDENCE = [
    ("a list over a status of unknown", "550 5.1.1 Unknown user. Your IP is on SPAMHAUS-XBL", "address-blocklisted"),
    ("unknown over 5.2.1", "550 5.2.1 <a@b.example>... User Unknown", "unknown-recipient"),
    ("DMARC over blocked", "550 5.7.1 Blocked because of the sender's DMARC policy", "authentication-failed"),
    ("reputation over a rate", "421 4.7.0 Rate limited because of the low reputation of your IP", "reputation"),
    ("a cause over policy", "554 5.7.1 Rejected for policy reasons: message contains a virus", "malware"),
    ("a grey list is no blocklist", "450 4.7.1 Client host [192.0.2.7] blocked using grey.rbl", "greylisted"),
    ("a list that answers nobody", "554 blocked using zen.spamhaus.org; Error: open resolver", "remote-error"),
    ("5.7.1 alone names nothing", "550 5.7.1 Rejected", "unclassified"),
    ("nothing said", "", "unclassified"),
    ("a remote's local error is the remote's", "451 Action aborted: local error in processing", "remote-error"),
    ("ours is ours", "alias database unavailable", "local-error"),
    ("expiry with a refusal inside", f"Expired; last error: host {REMOTE} said: 452 4.2.2 Full", "mailbox-full"),
    ("UTF-8 taken for Latin-1", "552 Das Postfach ist \u00c3\u00bcberf\u00c3\u00bcllt", "mailbox-full"),
]


@pytest.mark.parametrize(("name", "text", "refusal_class"), PRECEDENCE, ids=[case[0] for case in PRECEDENCE])
def test_the_more_exact_cause_wins(name: str, text: str, refusal_class: str) -> None:
    assert classify(text).refusal_class == refusal_class


def test_a_standard_status_means_the_same_whoever_says_it() -> None:
    # RFC 7372 section 3.2: X.7.23 is a failed SPF check; Google says 4.7.23 of a missing PTR record.
    said = "host gmail-smtp-in.l.google.com[198.51.100.9] said: 550 5.7.23 <a@gmail.com>: Rejected due to: SPF fail"
    assert classify(said).refusal_class is RefusalClass.AUTHENTICATION_FAILED


def test_a_code_joined_to_the_name_of_a_known_host_is_still_the_code() -> None:
    refusal = classify(
        "host mx9.comcast.net[198.51.100.9] said: 554-mx9.comcast.net 192.0.2.7 blocked 554 for spam. BL000000"
    )
    assert (refusal.permanent, refusal.listed, refusal.list) == (True, "192.0.2.7", "comcast")


def test_the_host_that_signs_is_not_what_is_listed() -> None:
    refusal = classify("550 5.7.1 Helo domain is listed in Spamhaus. [DB5EUR01FT012.prod.protection.outlook.com]")
    assert (refusal.refusal_class, refusal.listed) == (RefusalClass.DOMAIN_BLOCKLISTED, None)


CODE_ALONE = [
    ("502 TURN disallowed", RefusalClass.MALFORMED),
    ("530 Hello", RefusalClass.POLICY),
    ("521 mx1.b.example", RefusalClass.RECIPIENT_DOMAIN_INVALID),
    ("550 mx1.b.example", RefusalClass.UNCLASSIFIED),
    ("502 5.1.1 mx1.b.example", RefusalClass.UNKNOWN_RECIPIENT),
    ("501 User unknown", RefusalClass.UNKNOWN_RECIPIENT),
]


@pytest.mark.parametrize(("text", "expected"), CODE_ALONE, ids=[text for text, _ in CODE_ALONE])
def test_the_reply_code_decides_only_where_nothing_else_speaks(text: str, expected: RefusalClass) -> None:
    assert classify(text).refusal_class is expected
