"""Taking personal data out of free text before it is stored: e-mail addresses, cards, bank accounts, telephone numbers.

Every pattern is bounded, so that a text takes a time that grows with its length and no faster.
"""

import re
from collections.abc import Iterator

from sojourn_collector.sources.scrub_phones import without_phones
from sojourn_collector.sources.scrub_text import AFTER, BEFORE, BLANKLESS, as_ascii, replaced

_ROUNDS = 4
_LOCAL = r"[A-Za-z0-9._%+'\u0080-\U0010ffff-]"
_LETTER = r"[A-Za-z0-9\u0080-\U0010ffff-]"
_NO_PUNCTUATION = (
    r"(?:(?![\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2000-\u206f\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u0589\u060c\u061b\u061f\u0964\u0965])"
)
_ONE, _PART = _NO_PUNCTUATION + _LOCAL + ")", _NO_PUNCTUATION + _LETTER + ")"
_SPACED, _SPACED_PART = f"(?:(?!{BLANKLESS}){_ONE})", f"(?:(?!{BLANKLESS}){_PART})"
_EMAILS = tuple(
    re.compile(rf'(?:{one}{{1,64}}|"[^"\r\n]{{1,62}}")@{part}{{1,63}}(?:\.{part}{{1,63}}){{0,7}}\.(?![0-9-]){part}{{1,63}}')
    for one, part in ((_SPACED, _SPACED_PART), (_ONE, _PART))
)
"""First those of scripts that write blanks, so that the words around an address in Chinese stay; then all that RFC 6531 and IDNA allow."""
_IBAN = re.compile(rf"{BEFORE}[A-Za-z]{{2}}\d{{2}}(?:[ -]?[A-Za-z0-9]){{11,30}}{AFTER}", re.ASCII)
_DIGITS = re.compile(rf"{BEFORE}(?<![A-Za-z0-9]-)(?<!\d\.)(?<!\+)\d(?:[ -]?\d){{12,}}{AFTER}(?!-[A-Za-z])", re.ASCII)
_CARD_LENGTHS = range(13, 20)
_SHORTEST_GROUP = 3


def scrub(text: str) -> str:
    """`text` with personal data replaced by `[email]`, `[iban]`, `[card]`, `[phone]`.

    Cards and bank accounts must carry right check digits; telephone numbers are taken by their form, or after a word that says one comes. Numbers
    that are said to be of an order and the like, prices, dates and versions stay.
    """
    for _ in range(_ROUNDS):  # what was between two findings may be one of its own
        once = _once(text)
        if once == text:
            break
        text = once
    return text


def _once(text: str) -> str:
    if "@" in text or "\uff20" in text:
        for pattern in _EMAILS:
            text = replaced(text, ((*found.span(), "[email]") for found in pattern.finditer(as_ascii(text))))
    if not any(char.isdigit() for char in text):
        return text
    text = replaced(text, _ibans(as_ascii(text)))
    text = replaced(text, _cards(as_ascii(text)))
    return without_phones(text)


def _ibans(text: str) -> Iterator[tuple[int, int, str]]:
    """Words may follow the account number and look like part of it: the longest right beginning is taken."""
    for found in _IBAN.finditer(text):
        whole = found[0]
        for end in range(len(whole), 14, -1):
            if whole[end - 1] not in " -" and (end == len(whole) or whole[end] in " -") and _is_iban(whole[:end]):
                yield found.start(), found.start() + end, "[iban]"
                break


def _is_iban(text: str) -> bool:
    bare = re.sub("[ -]", "", text).upper()
    turned = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _cards(text: str) -> Iterator[tuple[int, int, str]]:
    """Card numbers alone, or as some of the groups of a longer run of digits: an expiry or an order number may stand beside them."""
    for found in _DIGITS.finditer(text):
        if _is_card("".join(filter(str.isdigit, found[0]))):
            yield *found.span(), "[card]"
            continue
        groups = [(one.start() + found.start(), one[0]) for one in re.finditer(r"\d+", found[0])]
        first = 0
        while first < len(groups):
            last = _card_from(groups, first)
            if last is None:
                first += 1
                continue
            yield groups[first][0], groups[last][0] + len(groups[last][1]), "[card]"
            first = last + 1


def _card_from(groups: list[tuple[int, str]], first: int) -> int | None:
    digits = ""
    for place in range(first, min(first + 6, len(groups))):
        digits += groups[place][1]
        if len(groups[place][1]) < _SHORTEST_GROUP or len(digits) > _CARD_LENGTHS[-1]:
            return None
        if _is_card(digits):
            return place
    return None


def _is_card(digits: str) -> bool:
    """No issuer's numbers begin with 0, 1 or 7; times in milliseconds do with 1."""
    if len(digits) not in _CARD_LENGTHS or digits[0] in "017":
        return False
    doubled = [int(c) * 2 - 9 if c > "4" else int(c) * 2 for c in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
