"""A sketch of a text: a few numbers that nearly the same text has nearly all of.

Taken away first is what changes from one copy of a mass mailing to the next: the greeting, the recipients'
names, digits and words with digits, links and mailboxes, white space, case, letters that only look like others,
invisible ones.  What is left are the words and the pairs of neighbours; the smallest of their numbers are the sketch
(bottom-k, Broder 1997).  The share of numbers that two sketches have in common estimates how much of their words and
pairs the texts share.
Known limit: scripts without spaces are taken letter by letter, so their pairs are pairs of letters.
"""

import re
import unicodedata
from collections.abc import Collection
from itertools import islice
from zlib import crc32

SKETCH_SIZE = 24
FEWEST_WORDS = 5
MOST_WORDS = 300
_MOST_LETTERS = 2_500
_MOST_LETTERS_SEEN = 3_000

_LINK = re.compile(r"://[^\s<>]*")
_LINK_WITHOUT_SCHEME = re.compile(r"www\.[^\s<>]*", re.IGNORECASE)
_DOMAIN = re.compile(r"@[^\s<>]*")
_ASCII_WORDS = bytes(letter if chr(letter).isalnum() and letter < 128 else 32 for letter in range(256))
_ANY_WORD = re.compile("[\u0e00-\u0e7f\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\\W_]+")
_MARKS = re.compile("[\u0300-\u036f]+")
_QUOTED_LINE = re.compile(r"^[ \t]*>[^\n]*", re.MULTILINE)
_QUOTED_BELOW = re.compile(
    r"^[ \t]*(?:-{2,20} ?(?:original|forwarded|urspr|weitergeleitet|messag|mensaje|mensagem|message)[^\n]{0,60}"
    r"|_{20,60}[ \t]*$|on [^\n]{5,120} wrote:|am [^\n]{5,120} schrieb[^\n]{0,80}:|le [^\n]{5,120} a écrit ?:"
    r"|il [^\n]{5,120} ha scritto:|el [^\n]{5,120} escribió:)",
    re.MULTILINE | re.IGNORECASE,
)
# Without one of these the pattern cannot match, and looking for them is quicker.
_QUOTED_BELOW_HAS = ("wrote:", "schrieb", "crit", "scritto:", "escribi", "--", "_____")
_SIGNATURE = "\n-- \n"
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|"
    r"good (?:morning|day|afternoon|evening)|greetings|hallo|guten (?:tag|morgen|abend)|"
    r"liebe[rs]?|sehr geehrte[rs]?|moin|servus|bonjour|salut|chère?|ciao|salve|buongiorno|buonasera|gentil[ei]|egregio|"
    r"car[oa]|hola|buen[oa]s (?:d[ií]as|tardes)|estimad[oa]s?|querid[oa]|olá|prezad[oa]|beste|geachte|hej|"
    r"hei|kära|kære|witam|dzień dobry|szanown[ay]|dobrý den|vážen[ýá]|здравствуйте|добрый день|"
    r"уважаем\w{2}|привет)\b[^\n]{0,60}",
    re.IGNORECASE,
)
_SHORT_FIRST_LINE = re.compile(r"[^\n.?]{1,40}[,!:]\s*$")

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
# Cyrillic and Greek letters that look like Latin ones, in lower case, after letters are decomposed.
_LOOKALIKES = tuple(zip("авеѕіјкмнорсԁһтухгοαεικνρτυχγωѵꞓԛԝ", "abesijkmhopcdhtyxroaeiknptuxywvcqw", strict=True))


def sketch_of(text: str, names: Collection[str] = ()) -> tuple[int, ...]:
    """Return the sketch, in order; empty where fewer than ``FEWEST_WORDS`` words are left.

    ``names`` are words that stand for the recipients, in lower case.
    """
    words = words_of(text)
    if names:
        without = {one.encode() for one in names}
        if not without.isdisjoint(words):
            words = [word for word in words if word not in without]
    if len(words) < FEWEST_WORDS:
        return ()
    single = list(map(crc32, words))
    # Begun with the number of the word before, the sum is that of both words together.
    numbers = [*single, *map(crc32, words[1:], single)]
    # Numbers are spread evenly, so nearly always enough are below this; sorting all would cost more.
    limit = 2**32 * 3 * SKETCH_SIZE // len(numbers)
    smallest = {number for number in numbers if number < limit}
    if len(smallest) < SKETCH_SIZE:
        smallest = set(numbers)
    return tuple(sorted(smallest)[:SKETCH_SIZE])


def words_of(text: str) -> list[bytes]:
    """Return the words that count, in order, in the one form that all their spellings have."""
    text = _own_words(text[:_MOST_LETTERS_SEEN].strip())[:_MOST_LETTERS]
    for sign, pattern in (("://", _LINK), ("www.", _LINK_WITHOUT_SCHEME), ("@", _DOMAIN)):
        if sign in text:
            text = pattern.sub(" ", text)
    if text.isascii():
        found = text.lower().encode().translate(_ASCII_WORDS).split()
        return list(islice(filter(bytes.isalpha, found), MOST_WORDS))
    text = unicodedata.normalize("NFKD", text).lower()
    letters = set(text)
    for one in _INVISIBLE:
        if one in letters:
            text = text.replace(one, "")
    for one, latin in _LOOKALIKES:
        if one in letters:
            text = text.replace(one, latin)
    words = _ANY_WORD.findall(_MARKS.sub("", text))
    return [word.encode("utf-8", "surrogatepass") for word in words if word.isalpha()][:MOST_WORDS]


def _own_words(text: str) -> str:
    """Return what the sender wrote himself: no greeting, no signature and nothing that is quoted."""
    if ">" in text:
        text = _QUOTED_LINE.sub("", text)
    if any(one in text for one in _QUOTED_BELOW_HAS):
        below = _QUOTED_BELOW.search(text)
        if below is not None and text[: below.start()].strip():
            text = text[: below.start()]
    text = text.partition(_SIGNATURE)[0].strip()
    line, newline, rest = text.partition("\n")
    if newline and (_SHORT_FIRST_LINE.match(line) or (len(line) <= 60 and _GREETING.match(line))):
        return rest
    greeting = _GREETING.match(text)
    # A greeting that goes on in the same line ends at its comma.
    if greeting is not None and "," in greeting[0]:
        return text[text.index(",") + 1 :]
    return text
