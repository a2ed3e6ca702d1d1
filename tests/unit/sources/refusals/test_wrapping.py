"""What our own server and the writers of logs and DSNs put around a reply changes nothing of its meaning."""

import base64
import quopri
import re
from collections.abc import Callable

import pytest

from outwarden.events import Refusal
from outwarden.sources.refusals import classify
from outwarden.sources.refusals.rulebook import rulebook

BARE = [rule.sample for rule in rulebook().rules if re.match(r"[45]\d\d ", rule.sample)]
PARTED = re.compile(r"([45]\d\d) ((?:#?[45]\.\d{1,3}\.\d{1,3} )?)(.*)", re.DOTALL)
HOST = "mx.b.example[198.51.100.9]"

Wrap = Callable[[str], str]


def over_lines(separator: str) -> Wrap:
    """Break a reply into the lines of a multi-line reply, each with its code and status."""

    def wrap(reply: str) -> str:
        parted = PARTED.match(reply)
        assert parted
        words = parted[3].split(" ")
        lines = [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]
        last = len(lines) - 1
        return separator.join(
            f"{parted[1]}{'-' if at < last else ' '}{parted[2]}{line}" for at, line in enumerate(lines)
        )

    return wrap


def quoted_printable(reply: str) -> str:
    return quopri.encodestring(reply.encode()).decode()


def folded(reply: str) -> str:
    return re.sub(r"(.{40}\S*) ", r"\1\n    ", reply)


def ironport(reply: str) -> str:
    return f"5.1.0 - Unknown address error {reply[:3]}-'{reply[4:]}' (delivery attempts: 3)"


def encoded_word(reply: str) -> str:
    words = [reply[at : at + 30] for at in range(0, len(reply), 30)]
    return " ".join(f"=?utf-8?B?{base64.b64encode(word.encode()).decode()}?=" for word in words)


WRAPPINGS: dict[str, Wrap] = {
    "Postfix": lambda reply: f"host {HOST} said: {reply} (in reply to RCPT TO command)",
    "Postfix, folded": lambda reply: f"<a@b.example>: host {HOST} said: {reply} (in reply to\n    RCPT TO command)",
    "Postfix, log": lambda reply: (
        f"postfix/smtp[9]: 4ABC: to=<a@b.example>, relay={HOST}:25, delay=1.2, dsn=5.0.0, status=bounced "
        f"(host {HOST} said: {reply} (in reply to end of DATA command))"
    ),
    "Postfix, greeting": lambda reply: f"host {HOST} refused to talk to me: {reply}",
    "Postfix, suspended": lambda reply: f"delivery temporarily suspended: host {HOST} refused to talk to me: {reply}",
    "Postfix, several lines": lambda reply: (
        f"host {HOST} said: {over_lines(' ')(reply)} (in reply to MAIL FROM command)"
    ),
    "Exim": lambda reply: (
        f"SMTP error from remote mail server after RCPT TO:<a@b.example>: host mx.b.example [198.51.100.9]: {reply}"
    ),
    "Exim, bounce": lambda reply: (
        f"host mx.b.example [198.51.100.9]\n    SMTP error from remote mail server after end of data:\n    {reply}"
    ),
    "Exim, several lines": lambda reply: f"host mx.b.example [198.51.100.9]: {over_lines(chr(92) + 'n')(reply)}",
    "Sendmail, log": lambda reply: (
        f"4ABC: to=<a@b.example>, mailer=esmtp, relay=mx.b.example. [198.51.100.9], dsn=5.0.0, stat=Deferred: {reply}"
    ),
    "Sendmail, reason": lambda reply: f"<a@b.example>\n    (reason: {reply})",
    "Sendmail, transcript": lambda reply: f"... while talking to mx.b.example.:\n>>> DATA\n<<< {reply}",
    "qmail": lambda reply: (
        "<a@b.example>:\n198.51.100.9 does not like recipient.\n"
        f"Remote host said: {reply}\nGiving up on 198.51.100.9.\n"
    ),
    "OpenSMTPD": lambda reply: f'result="PermFail" stat="{reply}"',
    "Exchange": lambda reply: f"Remote Server returned '{reply}'",
    "Exchange, diagnostic": lambda reply: f"mx.b.example #5.0.0 smtp;{reply} ##",
    "Exchange, delimited": lambda reply: f"#< #5.0.0 smtp; {reply}> #SMTP#",
    "Exchange, queue": lambda reply: f"[{{LED={reply}}};{{MSG=}};{{FQDN=mx.b.example}};{{IP=198.51.100.9}}]",
    "Gmail, no space": lambda reply: f"The response from the remote server was:{reply}",
    "Gmail": lambda reply: f"The response from the remote server was:\n{reply}",
    "IronPort": ironport,
    "DSN": lambda reply: f"Diagnostic-Code: smtp; {reply}",
    "DSN, type only": lambda reply: f"smtp;{reply}",
    "several lines": over_lines("\n"),
    "several lines, CRLF": over_lines("\r\n"),
    "several lines, joined": over_lines(" "),
    "several lines, escaped": over_lines("\\n"),
    "quoted-printable": quoted_printable,
    "encoded words": encoded_word,
    "folded": folded,
    "quoted": lambda reply: f'"{reply}"',
    "Python": lambda reply: f"smtplib.SMTPDataError: ({reply[:3]}, b'{reply[4:]}')",
    "Python, recipients": lambda reply: f"SMTPRecipientsRefused: {{'a@b.example': ({reply[:3]}, b'{reply[4:]}')}}",
    "Node": lambda reply: f"Error: Can't send mail - all recipients were rejected: {reply}",
    "Java": lambda reply: f"Failed messages: com.sun.mail.smtp.SMTPSendFailedException: {reply}",
    "PHP": lambda reply: f'Expected response code 250 but got code "{reply[:3]}", with message "{reply}"',
    "HTML": lambda reply: (
        "<p>" + reply.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace(". ", ".<br>") + "</p>"
    ),
    "upper case": str.upper,
}


def meaning(refusal: Refusal) -> tuple[object, bool, str | None]:
    return refusal.refusal_class, refusal.permanent, refusal.list


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_wrapping_changes_neither_class_nor_list_nor_permanence(wrap: Wrap) -> None:
    changed = [reply for reply in BARE if meaning(classify(wrap(reply))) != meaning(classify(reply))]
    assert changed == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dsn=5.1.1, stat=User unknown", "unknown-recipient"),
        ("dsn=5.7.1, stat=User unknown", "unknown-recipient"),
        ("dsn=4.0.0, stat=Deferred: Connection timed out with mx.b.example.", "network"),
        ("dsn=5.1.2, stat=Host unknown (Name server: mx.b.example.: host not found)", "recipient-domain-invalid"),
        ('relay=local, dsn=5.1.1, status=bounced (unknown user: "a")', "unknown-recipient"),
        ("dsn=4.4.1, status=deferred (connect to mx.b.example[192.0.2.1]:25: Connection timed out)", "network"),
    ],
)
def test_a_log_line_without_a_reply_says_it_behind_the_status(line: str, expected: str) -> None:
    assert classify(line).refusal_class == expected


def test_the_status_is_the_replys_own_where_it_has_one() -> None:
    assert classify(f"5.4.0 host {HOST} said: 550 5.7.1 message rejected").status == "5.7.1"
    assert classify(f"dsn=5.7.1, status=bounced (host {HOST} said: 550 message rejected)").status == "5.7.1"
