"""Personal data in text: what reaches or charges a person. Pure.

Looked for: mail addresses, telephone numbers, IBANs, card numbers. Not looked for: names, postal addresses, and the
@mentions of GitHub accounts, which the rows leave out anyway. What manuals and tests print everywhere is nobody's.
"""

import re

_MAIL = re.compile(
    r"(?<![\w.+/@:-])(?P<local>[\w.+-]{1,64})@(?P<domain>(?:[a-z0-9-]{1,63}\.){1,4}(?P<top>[a-z]{2,24}))(?![\w@(-])",
    re.IGNORECASE,
)
#: What every match of the pattern above holds, and so with the others below: it begins with a plain character, which
#: the regex engine looks for five to fifty times as fast as it tries what may not stand before.
_MAIL_MARK = re.compile(r"@(?<=[\w.+-]@)[a-z0-9-]{1,63}\.[a-z]", re.IGNORECASE)
#: Top-level domains with more than two letters that people have addresses under; `this@Outer.method` is no address.
_TOPS = re.compile(
    r"com|org|net|edu|gov|mil|int|info|biz|name|pro|dev|app|cloud|tech|online|xyz|email|jobs|coop|museum", re.IGNORECASE
)
#: Endings of files and members in code that are spelled like a country.
_NO_TOPS = re.compile(r"js|ts|md|rs|py|sh|cc|gz|so|as|do|to|my", re.IGNORECASE)
_NOBODY = re.compile(
    r"(^|\.)(example|test|invalid|localhost|local|internal|acme)(\.\w+)?$|(^|\.)noreply\.", re.IGNORECASE
)
_NO_PERSON = re.compile(
    r"git|(do|no)[-_.]?(not)?[-_.]?reply|user(name)?|name|e?mail|foo|bar|test|you|this|super|return|break|continue",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.+*/-])(?:\+\d{1,3}[ .(/-]{1,2}\d{1,4}\)?(?:[ ./-]\d{2,8}){1,4}|\+\d{10,14}|\(\d{3}\) ?\d{3}-\d{4})"
    r"(?![\w.-]?\w)"
)
_PHONE_MARK = re.compile(r"[+(]\d(?:[\d .()/-]{9}|\d\d\))")  # of those with nine digits, as a number has
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_IBAN_MARK = re.compile(r"[A-Z][A-Z]\d\d ?[A-Z0-9]{4}")
_CARD = re.compile(
    r"(?<![\w.-])(?:(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d))([ -]?)\d{4}\1\d{4}\1\d{4}"
    r"|3[47]\d\d[ -]?\d{6}[ -]?\d{5})"
    r"(?![\w-]|\.\d)"
)
_CARD_MARK = re.compile(r"[2-6]\d{3}[ -]?\d{4}")
#: Numbers that banks and card schemes publish for testing.
_PUBLISHED = frozenset(
    {
        "GB82WEST12345698765432", "GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606",
        "4111111111111111", "4242424242424242", "4012888888881881", "4000000000000002", "4000056655665556",
        "5555555555554444", "5105105105105100", "5200828282828210", "378282246310005", "371449635398431",
        "6011111111111117", "6011000990139424",
    }
)  # fmt: skip


def find_personal_data(text: str) -> str | None:
    """What kind of personal data the text holds, in words for a person, never the data; None when none was found."""
    if _MAIL_MARK.search(text) and any(map(_is_somebodys, _MAIL.finditer(text))):
        return "mail address"
    if _PHONE_MARK.search(text) and any(_is_number(match.group()) for match in _PHONE.finditer(text)):
        return "telephone number"
    if _IBAN_MARK.search(text) and any(_is_iban(match.group()) for match in _IBAN.finditer(text)):
        return "bank account"
    cards = _CARD.finditer(text) if _CARD_MARK.search(text) else ()
    return "card number" if any(_is_card(match.group()) for match in cards) else None


def _is_somebodys(match: re.Match[str]) -> bool:
    top = match["top"]
    plausible = _NO_TOPS.fullmatch(top) is None if len(top) == 2 else _TOPS.fullmatch(top) is not None
    return plausible and _NOBODY.search(match["domain"]) is None and _NO_PERSON.fullmatch(match["local"]) is None


def _is_number(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 9 <= len(digits) <= 15 and "555" not in digits and len(set(digits)) > 3 and "12345" not in digits


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "")
    turned = compact[4:] + compact[:4]
    return (
        15 <= len(compact) <= 34
        and compact not in _PUBLISHED
        and int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
    )


def _is_card(text: str) -> bool:
    """By the checksum of ISO/IEC 7812 (Luhn)."""
    digits = [int(char) for char in text if char.isdigit()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return "".join(map(str, digits)) not in _PUBLISHED and (sum(digits[::-2]) + sum(doubled)) % 10 == 0
