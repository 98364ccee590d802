"""Finding telephone numbers in free text: by their form, or after a word that says one comes."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from sojourn_collector.sources.scrub_text import AFTER, BEFORE, BLANKLESS, as_ascii, replaced
from sojourn_collector.sources.scrub_words import ANYWHERE, AT_THE_END, BY_ITSELF, MINE, MONEY, NUMBERS, OWNERS, THINGS, THINGS_ANYWHERE, UNITS

Said = Literal["phone", "thing", "about", ""]
"""What the words before a number say: it is a telephone's, a thing's, has to do with a thing, or nothing."""
_LOOKS_BACK: Final = 60
_MOST_BETWEEN = 4
_ALONE = rf"{BEFORE}(?<![A-Za-z0-9]-)(?<!\d[.,])(?<![#№])"
_FORMS = re.compile(
    rf"{_ALONE}(?:"
    r"(?P<plus>\+\d(?:[ ()./-]{0,3}\d){6,14})"
    r"|00\d(?:[ ()./-]{0,3}\d){6,14}"
    r"|\(?0\d{1,5}\)?(?:[ ./-]{0,3}\d){5,12}"  # national with its leading zero
    r"|\(\d{2,5}\)[ -]?\d{3,5}[ -]?\d{3,5}"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"  # North America
    r"|1[ .-]\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"
    r"|[78][ -]?\(?\d{3}\)?[ -]?\d{3}[ -]\d{2}[ -]\d{2}"  # Russia
    r"|(?P<weak>(?<!\d )(?:"
    r"[4-9]\d\d(?P<s>[ -])\d{3}(?P=s)\d{3}"  # Spain, Poland, Portugal, Czechia
    r"|\d{2} \d{3} \d{2} \d{2}|\d{3} \d{2} \d{2} \d{2}|9\d\d \d{2} \d{3}"
    r"|[6-9]\d{4}[ -]\d{5}"  # India
    r"|\d{2} 9?\d{4}[ -]\d{4}"  # Brazil, Mexico
    r"|3\d\d[ /-]\d{6,7}"  # Italy
    r"|1[3-9]\d[ -]\d{4}[ -]\d{4}"  # China
    rf")(?![ .,-]\d)))(?![A-Za-z0-9_])",
    re.ASCII,
)
_CHINESE = re.compile(rf"{_ALONE}1[3-9]\d{{9}}{AFTER}", re.ASCII)
_HAN = re.compile("[\u3400-\u9fff]")
_RUN = re.compile(rf"{BEFORE}(?<!\d[.,])[+(]{{0,2}}\d(?:[ ()./-]{{0,2}}\d){{5,14}}{AFTER}", re.ASCII)
_BEFORE_RUN = re.compile(r"wa\.me/\Z", re.IGNORECASE)
_WORDS = re.compile(rf"{BLANKLESS}+|(?:(?!{BLANKLESS})[^\W\d_](?:[\u0300-\u036f-](?=[^\W\d_]))?)+|\d+|[,;!?](?= )")
_BLANKLESS = re.compile(BLANKLESS)
_PHONES_ANYWHERE, _THINGS_ANYWHERE = re.compile("|".join(ANYWHERE)), re.compile("|".join(THINGS_ANYWHERE))
_PARTS = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_DATE = re.compile(r"(?:\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)|\d{4}([./-])\d{1,2}\2\d{1,2}|(?:19|20)\d\d(?:0\d|1[0-2])[0-3]\d)(?![./-]?\d)", re.ASCII)
_HOURS = re.compile(r"[01]\d[0-5]\d ?- ?[0-2]\d[0-5]\d", re.ASCII)
_DECIMAL = re.compile(r"\d+\.\d{1,2}|\d{1,3}(?:\.\d{1,3}){3}", re.ASCII)


def without_phones(text: str) -> str:
    """`text` with telephone numbers replaced by `[phone]`."""
    text = replaced(text, _announced(as_ascii(text)))
    return replaced(text, _formed(as_ascii(text)))


def names_a_phone(key: str) -> bool:
    """Whether a value under this key is a telephone number where it is a number."""
    words = [word.lower() for word in _PARTS.findall(key[:_LOOKS_BACK])]
    return any(_is_phone_word(word) for word in words) and not any(word in THINGS for word in words)


def _announced(text: str) -> Iterator[tuple[int, int, str]]:
    """After words such as tel."""
    for found in _RUN.finditer(text):
        if said(text[max(0, found.start() - _LOOKS_BACK) : found.start()]) == "phone" and not (
            _is_other(found[0]) or _DECIMAL.fullmatch(found[0]) or UNITS.match(text, found.end())
        ):
            yield *found.span(), "[phone]"


def _formed(text: str) -> Iterator[tuple[int, int, str]]:
    """By their form; Chinese mobile numbers in one piece where the words are Chinese."""
    found = [*_FORMS.finditer(text), *(_CHINESE.finditer(text) if _HAN.search(text) else ())]
    for one in sorted(found, key=re.Match.start):
        before = text[max(0, one.start() - _LOOKS_BACK) : one.start()]
        if one[0].startswith("+"):
            yield *one.span(), "[phone]"
        elif _is_other(one[0]) or said(before) == "thing" or MONEY.search(before):
            continue
        elif one.re is _CHINESE or not one["weak"] or not UNITS.match(text, one.end()):
            yield *one.span(), "[phone]"


def said(before: str) -> Said:
    """What is said right before a number. Words between may be a few; a comma ends them, but for a telephone's."""
    if _BEFORE_RUN.search(before):
        return "phone"
    words = _WORDS.findall(before.rpartition("\n")[2].rpartition("phone]")[2].lower())
    direct, called = True, ""
    for place, word in enumerate(reversed(words)):
        if place > _MOST_BETWEEN or word.isdigit():
            return ""
        if _BLANKLESS.match(word) and (found := _said_without_blanks(word, direct=direct)):
            return found
        if _is_phone_word(word) or (called and word in MINE):
            return "phone"
        if word in THINGS or (called and word in OWNERS):
            return "thing" if direct else "about"
        called = word if word in NUMBERS else ""
        direct = direct and bool(called)
    return ""


def _said_without_blanks(words: str, *, direct: bool) -> Said:
    phone = max((one.end() for one in _PHONES_ANYWHERE.finditer(words)), default=0)
    thing = max((one.end() for one in _THINGS_ANYWHERE.finditer(words)), default=0)
    if thing > phone:
        return "thing" if direct else "about"
    return "phone" if phone else ""


def _is_phone_word(word: str) -> bool:
    return word in BY_ITSELF or bool(AT_THE_END.fullmatch(word))


def _is_other(number: str) -> bool:
    """Whether it is a date, also with digits of a time behind it, or opening hours."""
    return bool(_DATE.match(number) or _HOURS.fullmatch(number))
