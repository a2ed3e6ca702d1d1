"""A reply is taken out of what our own server and the log wrapped around it.

Postfix, Exim, Sendmail, OpenSMTPD, Exchange and the writers of DSNs each put words of their own
around a remote's reply, break it over lines, or join its lines.  ``unwrap`` gives back the remote's
words on one line, without the repeated codes of a multi-line reply (RFC 5321 section 4.2.1), and
beside them what the wrapping tells: which host spoke.  Where there is no remote's reply inside,
our own server's words are the text.

At most ``LONGEST`` characters are looked at, and every pattern here takes linear time.
"""

import binascii
import html
import re

import msgspec

LONGEST = 4096
_LONGEST_TAIL = 90

_SOFT_BREAK = re.compile(r"=[ \t]*\r?\n")
_ENCODED = re.compile(r"=([0-9A-F]{2})(?![0-9A-F])")
# Exim writes a line break of a reply as two characters, syslog daemons as an octal escape.
_WRITTEN_BREAK = re.compile(r"\\r\\n|\\n|\\015\\012|#015#012|#012", re.IGNORECASE)
_MARKUP = re.compile(r"</?(?:br|p|div|td|li|b|span|code|pre|tt) ?/?>", re.IGNORECASE)
# Some writers of DSNs encode a reply as if it were a header's text.
_ENCODED_WORD = re.compile(
    r"=\?(utf-?8|us-ascii|iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|iso-2022-jp|shift_jis|euc-kr)"
    r"\?([bq])\?([^?\s]{1,400})\?=(?:\s{1,4}(?==\?))?",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w.:/=+-])[45]\d\d(?=[ -]|$|[;:]\s|#|'?, (?:b?['\"]|\[))")
_CODE_AFTER_WAS = re.compile(r"(?<=\bwas:)[45]\d\d(?=[ -])")
_CODE_AT_START = re.compile(r"\W{0,3}(?:(?:smtp|x-\w{1,20}); ?)?\W{0,2}([245]\d\d)(?=\W|$)", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\w.])[245]\.[0-7]\.\d{1,3}(?![\w]|\.\d)")
# Programs in Python print the code and the text of a reply as a pair.
_IN_A_TUPLE = re.compile(r"'?, (?:b?['\"]|\[b?['\"])")
# IronPort says "5.1.0 - Unknown address error" of whatever is refused after RCPT TO.
_STATUS_OF_ANY = re.compile(r"[245]\.[0-7]\.\d{1,3} - unknown address error", re.IGNORECASE)
_REPEATED = re.compile(r"(?<!\S)([45]\d\d)(?:-(?:#?[45]\.[0-7]\.\d{1,3}(?!\S))?| (?:#?[45]\.[0-7]\.\d{1,3}(?!\S))?)\s?")
# What our own server says behind the reply.  Postfix names the command, qmail and IronPort that they give up.
_IN_REPLY_TO = re.compile(r"\(in reply to\s[^()]{1,60}\)?\s*\)?\s*$")
_GIVING_UP = re.compile(r"\sGiving up on \S{1,60}\s*$|\(delivery attempts: \d{1,4}\)?\s*$|>?\s#SMTP#\s*$|##\s*$")
_EXCHANGE = re.compile(r"\{LED=([^{}]{0,3000})", re.IGNORECASE)
_EXCHANGE_HOST = re.compile(r"\{FQDN=([\w.-]{1,255})", re.IGNORECASE)
# What stands before a reply when somebody else reports it.
_REPORTED = re.compile(
    r"said:|says:|responded|response (?:was|from|received)|replied|answered|refused to talk to me:|reply:|last error|"
    r"(?:smtp|lmtp) error|error message from|with message|"
    r"returned was:|remote server was:|\(reason:|does not like|failed after|was rejected\. remote|diagnostic-code|"
    r"remote (?:server|host|mta|mail|smtp)|\bhost [^ ]+ ?\[|rejected by (?:the )?(?:remote )?(?:host|server)|"
    r"temporarily suspended|expired|timeout exceeded|unknown address error|<<<|stat=|result=|smtp;|"
    r"after (?:rcpt to|mail from|end of data|data|pipelined|ehlo|initial)",
    re.IGNORECASE,
)
_LOGGED = re.compile(r"\bdsn=[245]\.\d{1,3}\.\d{1,3}, stat(?:us)?=(?:deferred:? |\w{1,20} \((?=.))?", re.IGNORECASE)
_SPEAKER = re.compile(
    r"(?:\bhost |\bH=|\bfrom |connect(?:ed)? to |relay=|with )<?"
    r"((?:[a-z0-9_-]{1,63}+\.){1,9}[a-z]{2,24})\.?(?= ?[\[(]|[ :,])",
    re.IGNORECASE,
)


class Reply(msgspec.Struct, frozen=True):
    """What was said, by whom, and the two codes.

    ``words`` is the reply on one line, lower-case, without its reply code.  ``speaker`` is the host that
    the wrapping names.  ``code`` is the SMTP reply code, ``status`` the first enhanced status code
    (RFC 3463) of the reply, else of the whole text.  ``skipped`` is how many words of the line stand before
    the reply.
    """

    words: str
    speaker: str | None
    code: int | None
    status: str | None
    skipped: int


def unwrap(line: str) -> Reply:
    """Return the reply inside a line (the masked words of a text).  Raises nothing."""
    speaker = None
    start, end = 0, len(line)
    exchange = _EXCHANGE.search(line)
    if exchange:
        host = _EXCHANGE_HOST.search(line)
        speaker = host[1] if host else None
        start, end = exchange.span(1)
    reply_at = _reply_at(line, start, end)
    if reply_at > start:
        given_up = _GIVING_UP.search(line, max(reply_at, end - _LONGEST_TAIL), end)
        end = given_up.start() if given_up else end
    if reply_at > start and speaker is None:
        named = _SPEAKER.search(line, 0, reply_at)
        speaker = named[1] if named else None
    status = _STATUS.search(line, reply_at, end)
    if status is None and reply_at > 0:
        status = _STATUS.search(line)
        if status and _STATUS_OF_ANY.match(line, status.start()):
            status = None
    words = line[reply_at:end]
    started = _CODE_AT_START.match(words)
    if started:
        behind = _IN_A_TUPLE.match(words, started.end(1))
        words = _join_lines(words[behind.end() if behind else started.end(1) :], started[1])
        # Some write the code once more: "550 550 5.1.1".
        words = words.removeprefix(f" {started[1]}")
    return Reply(
        words=words.lower(),
        speaker=speaker.lower() if speaker else None,
        code=int(started[1]) if started else None,
        status=status[0] if status else None,
        skipped=line.count(" ", 0, reply_at),
    )


def words_of(text: str) -> list[str]:
    """Return what white space parts in the text's beginning, with soft breaks joined.

    What our own server says behind the reply is left out: it says nothing of why.
    """
    text = text[:LONGEST]
    if "=" in text:
        if "\n" in text and _SOFT_BREAK.search(text):
            text = _ENCODED.sub(lambda found: chr(int(found[1], 16)), _SOFT_BREAK.sub("", text))
        if "=?" in text:
            text = _ENCODED_WORD.sub(_decoded, text)
    if "\\" in text or "#01" in text:
        text = _WRITTEN_BREAK.sub(" ", text)
    if "</" in text or "<br" in text or "<BR" in text:
        text = _MARKUP.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if "..." in text:
        # Sendmail and others join what they say to a mailbox: "a@b.example...User unknown".
        text = text.replace("...", " ... ")
    if not text.isascii():
        text = _read_again(text)
    command_at = text.rfind("(in reply to")
    if command_at > 0 and _IN_REPLY_TO.match(text, command_at):
        text = text[:command_at]
    return text.split()


def _decoded(found: re.Match[str]) -> str:
    """Return what an encoded word says, or the word itself where it is not properly encoded."""
    charset, encoding, written = found[1], found[2], found[3]
    try:
        raw = binascii.a2b_base64(written) if encoding in "bB" else binascii.a2b_qp(written, header=True)
        return raw.decode(charset)
    except ValueError:
        return found[0]


def _read_again(text: str) -> str:
    """Return the text as it was before somebody took its UTF-8 for Latin-1, if that is what happened."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _reply_at(line: str, start: int, end: int) -> int:
    """Return where the remote's reply begins: at a reply code that something before it reports, else at the start.

    Of a line of a log that holds no such code, what its ``stat=`` says is the reply.
    """
    if _CODE_AT_START.match(line, start, end):
        return start
    code = _CODE_AFTER_WAS.search(line, start, end) if "was:" in line else None
    if code:
        return code.start()
    code = _CODE.search(line, start, end)
    if code and (_REPORTED.search(line, start, code.start()) or _after_a_colon(line, code.start())):
        return code.start()
    logged = _LOGGED.search(line, start, end) if "dsn=" in line else None
    return logged.end() if logged else start


def _after_a_colon(line: str, at: int) -> bool:
    """Say whether what stands there is announced, as by "Error: 550 ..." and "SMTPDataError: (550, b'...')"."""
    return line[max(0, at - 6) : at].rstrip(" '\"[({").endswith(":")


def _join_lines(words: str, code: str) -> str:
    """Return a multi-line reply, its first code cut off, as one sentence without the codes of its further lines."""
    if not words.startswith("-") and f" {code}-" not in words:
        return words
    return _REPEATED.sub(lambda found: "" if found[1] == code else found[0], words.removeprefix("-"))
