"""Personal data: numbers that a state gives to one person, ways to reach one, and lists of people.

Shapes come from RE2 in one pass over the text; a checksum, a date or a word nearby then says whether it is meant.
Account and card numbers are `engine.guards.secrets`' affair.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import re2

from engine.guards.gates import spans
from engine.guards.normalise import LONG, Places, normalise
from engine.guards.policy import Action, Category, Rules, gravest
from engine.guards.terms import Find, united
from engine.guards.verdict import Allow, Verdict

MAX_FINDS: Final = 10_000
"""Data of one kind in one text that are told apart; from the next one on all of the rest counts as one."""
_CONTEXT: Final = 60            # characters before and behind a number in which a word may say what it is
_NEAR: Final = 120              # characters between two entries of one list
_LIST: Final = 2                # people from which on it is one

_E_MAIL: Final = r"[a-z0-9._%+\-]{1,64}@[a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{1,63}){1,6}"
_PHONE: Final = (                # in international form, else as in North America, Germany, China
    r"\+[1-9][0-9]{0,2}(?:[ .\-/]?\(?[0-9]{1,5}\)?){1,7}"
    r"|\(?[0-9]{3}\)?[ .\-][0-9]{3}[ .\-][0-9]{4}\b|\b0[0-9]{2,4}[ /\-][0-9]{4,8}\b|\b1[3-9][0-9]{9}\b"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of personal data."""

    rule: str
    name: str                   # what stands in its place
    pattern: str
    fits: Callable[[str, str], bool]    # the number, and what stands around it


def _ssn(number: str, around: str) -> bool:
    """United States: three groups, none of them zero. Without its hyphens only where it is called one."""
    digits = re.sub(r"\D", "", number)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000" or len(set(digits)) == 1:
        return False
    if digits in ("123456789", "078051120", "219099999"):      # printed on every sample form
        return False
    return "-" in number or bool(_SSN_WORD.search(around))


def _resident(number: str, around: str) -> bool:     # noqa: ARG001 - a shape's judge
    """Mainland China: region, date of birth, serial, and a check character modulo 11."""
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    if not (1900 <= year <= 2099 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[total % 11] == number[17].upper()


def _passport(number: str, around: str) -> bool:
    return sum(map(str.isdigit, number)) >= 5 and bool(_PASSPORT_WORD.search(around))


def _insurance(number: str, around: str) -> bool:    # noqa: ARG001 - a shape's judge
    """United Kingdom: two letters of those in use, six digits, one letter."""
    return number[:2].upper() not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _securite(number: str, around: str) -> bool:     # noqa: ARG001 - a shape's judge
    """France: thirteen digits, and 97 minus what is left of them."""
    digits = re.sub(r"\D", "", number)
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])


def _taxpayer(number: str, around: str) -> bool:
    """Germany: eleven digits with a check digit of ISO 7064; only where it is called one."""
    digits = re.sub(r"\D", "", number)
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits[0] != "0" and (11 - product) % 10 == int(digits[10]) and bool(_TAX_WORD.search(around))


def _phone(number: str, around: str) -> bool:
    """Eight to fifteen digits behind a plus sign; without it only beside an address, or where it is called one."""
    if not number.startswith("+"):
        return "@" in around or bool(_PHONE_WORD.search(around))
    return 8 <= sum(map(str.isdigit, number)) <= 15


def _any(number: str, around: str) -> bool:          # noqa: ARG001 - a shape's judge
    return True


_SSN_WORD: Final = re.compile(r"(?i)\bssn\b|social[ -]security|\bitin\b")
_PASSPORT: Final = (
    r"(?i)passport|reisepass|personalausweis|passeport|pasaporte|护照|護照|パスポート|загранпаспорт|паспорт"
)
_PASSPORT_WORD: Final = re.compile(_PASSPORT)
_TAX_WORD: Final = re.compile(r"(?i)steuer-?id|steueridentifikation|identifikationsnummer|steuernummer|\btin\b|tax id")
_PHONE_WORD: Final = re.compile(r"(?i)\b(?:tele)?phone|\btel\b|mobile|\bcell\b|telefon|handy|telefono|电话|手机|号码")
SHAPES: Final = (
    Shape("ssn", "social security number", r"\b[0-9]{3}(?:-[0-9]{2}-|[ ]?[0-9]{2}[ ]?)[0-9]{4}\b", _ssn),
    Shape("resident_id", "identity number", r"\b[1-9][0-9]{16}[0-9x]\b", _resident),
    Shape("insurance", "insurance number",
          r"\b[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]\b", _insurance),
    Shape("securite_sociale", "identity number",
          r"\b[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b", _securite),
    Shape("tax_id", "tax number", r"\b[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b", _taxpayer),
    Shape("passport", "passport number", r"\b[a-z]{0,2}[0-9]{5,9}\b", _passport),
    Shape("email", "e-mail address", _E_MAIL, _any),
    Shape("phone", "phone number", _PHONE, _phone),
)
_BY_RULE: Final = {shape.rule: shape for shape in SHAPES}
_PATTERNS: Final = tuple((shape, re2.compile(shape.pattern)) for shape in SHAPES)
_FORMS: Final = re2.Set.SearchSet()
for _pattern in (*(shape.pattern for shape in SHAPES), _PASSPORT):
    _FORMS.Add(_pattern)
_FORMS.Compile()
_NAMED: Final = len(SHAPES)         # the number of the last one
_AT_ALL: Final = re2.compile(r"[0-9]{5}|[0-9]{2}[- ][0-9]|@[a-z0-9\-]+\.|\+[1-9]")


@dataclass(frozen=True, slots=True)
class Datum:
    """One piece of personal data."""

    start: int
    end: int
    rule: str


def find(text: str) -> tuple[Datum, ...]:
    """All personal data, in order of their places. One stretch is one datum: the more particular shape wins."""
    plain = normalise(text)
    found = data(plain)
    if found and not (text.isascii() and len(plain) == len(text)):      # else each stands where it stood
        places = Places.of(text)
        found = tuple(Datum(*places.original(datum.start, datum.end), datum.rule) for datum in found)
    return found


def data(plain: str) -> tuple[Datum, ...]:
    """As `find`, in a text that is normalised."""
    raw = plain.encode()
    if not _AT_ALL.search(raw):
        return ()
    found: list[Datum] = []
    met = frozenset(_FORMS.Match(raw) or ())          # one look for all shapes: hardly any text has two
    for number, (shape, pattern) in enumerate(_PATTERNS):
        if number not in met or (shape.fits is _passport and _NAMED not in met):
            continue
        more = [
            datum for count, datum in enumerate(_of(shape, spans(pattern, plain), plain))
            if count == MAX_FINDS or not _covered(datum, found)
        ]
        if more:
            found = sorted([*found, *more], key=lambda datum: datum.start)
    return tuple(found)


def may_fit(plain: str, kinds: Collection[str]) -> bool:
    """Whether anything in a normalised text has the form of one of these kinds, whatever stands around it."""
    return any(number != _NAMED and SHAPES[number].rule in kinds for number in _FORMS.Match(plain) or ())


def notice(kind: str) -> str:
    """What stands in the place of a datum of this kind."""
    return f"[{_BY_RULE[kind].name} removed]"


def _of(shape: Shape, places: Iterator[tuple[int, int]], text: str) -> Iterator[Datum]:
    count = 0
    for start, end in places:
        around = text[max(start - _CONTEXT, 0) : start] + " " + text[end : end + _CONTEXT // 2]
        if _inside_a_longer_number(text, start, end) or not shape.fits(text[start:end], around):
            continue
        count += 1
        if count > MAX_FINDS:           # there is no end of it: all of the rest is one more
            yield Datum(start, len(text), shape.rule)
            return
        yield Datum(start, end, shape.rule)


def _inside_a_longer_number(text: str, start: int, end: int) -> bool:
    """As in ``4111-22-0098-17`` or ``v1.509-76-3563``."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return (
        (len(before) == 2 and before[1] in "-./" and before[0].isdigit())
        or (len(after) == 2 and after[0] in "-./" and after[1].isdigit())
        or after[:1].isdigit()
    )


def _covered(datum: Datum, taken: list[Datum]) -> bool:
    """Whether it begins or ends in one of those, which are in order and apart."""
    behind = bisect_left(taken, datum.end, key=lambda other: other.start)
    return behind > 0 and taken[behind - 1].end > datum.start


def people(data: tuple[Datum, ...]) -> tuple[Datum, ...]:
    """The data that belong to a list of people: an e-mail address beside a phone number, twice or more in a row."""
    listed: list[Datum] = []
    row: list[Datum] = []
    for datum in (datum for datum in data if datum.rule in ("email", "phone")):
        if row and datum.start - row[-1].end > _NEAR:
            listed += row if _is_list(row) else []
            row = []
        row.append(datum)
    return tuple(listed + row if _is_list(row) else listed)


def _is_list(row: list[Datum]) -> bool:
    kinds = [datum.rule for datum in row]
    return min(kinds.count("email"), kinds.count("phone")) >= _LIST


def masked(text: str, data: list[Datum]) -> str:
    """The text with the name of each datum in its place."""
    parts: list[str] = []
    at = 0
    for found in united([Find(datum.start, datum.end, datum.rule) for datum in data]):
        parts += text[at : found.start], notice(found.rule)
        at = found.end
    return "".join(parts) + text[at:]


@dataclass(frozen=True, slots=True)
class PersonalGuard:
    """Masks, flags or refuses personal data, each kind as the policy says (``personal.ssn: refuse``)."""

    rules: Rules
    name = "personal"
    version = "1"
    beside = False                      # what it masks must not reach the index either

    async def check(self, text: str) -> Verdict:
        """Rules are those of `SHAPES`, and ``list`` for people in a list, whatever single addresses may do."""
        return await asyncio.to_thread(self.judge, text) if len(text) > LONG else self.judge(text)

    def judge(self, text: str) -> Verdict:
        """As `check`, at once."""
        data = find(text)
        if not data:
            return Allow(category=Category.PERSONAL)
        listed = frozenset(people(data))
        kinds = {**dict.fromkeys(datum.rule for datum in data), **({"list": None} if listed else {})}
        taken = [
            datum for datum in data
            if self._masks(datum.rule) or (datum in listed and self._masks("list"))
        ]
        cut = masked(text, taken) if taken else None
        return gravest(self.rules.verdict(Category.PERSONAL, kind, text=text, masked=cut) for kind in kinds)

    def _masks(self, kind: str) -> bool:
        rule = self.rules.rule(Category.PERSONAL, kind)
        return rule.action is Action.MASK and not rule.shadow
