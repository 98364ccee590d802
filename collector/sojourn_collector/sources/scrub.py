"""Taking personal data out of free text before it is stored: e-mail addresses, cards, bank accounts, telephone numbers."""

import re

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}\b")
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])")
_PHONE = re.compile(
    r"(?<![\w.])(?:"
    r"(?:\+|00)\d(?:[ ()./-]{0,3}\d){6,14}"  # international
    r"|\(?0\d{1,5}\)?(?:[ ./-]{0,3}\d){5,12}"  # national with its leading zero
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"  # North American
    r")(?!\w)"
)


def scrub(text: str) -> str:
    """`text` with personal data replaced by `[email]`, `[iban]`, `[card]`, `[phone]`.

    Cards and bank accounts must carry right check digits, so that order numbers stay; telephone numbers are taken by form.
    """
    text = _EMAIL.sub("[email]", text)
    text = _IBAN.sub(_iban, text)
    text = _DIGITS.sub(lambda found: "[card]" if _luhn(found[0]) else found[0], text)
    return _PHONE.sub("[phone]", text)


def _iban(found: re.Match[str]) -> str:
    """Words may follow the account number and look like part of it: the longest right beginning is taken."""
    whole = found[0]
    for end in range(len(whole), 14, -1):
        if whole[end - 1] != " " and (end == len(whole) or whole[end] == " ") and _is_iban(whole[:end]):
            return "[iban]" + whole[end:]
    return whole


def _is_iban(text: str) -> bool:
    bare = text.replace(" ", "").upper()
    turned = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
