"""Secrets are taken out of what goes to the model and of what comes back.

The scanner reads every character once, however the text was cut. Where a secret could begin it sets up a
*candidate*, which looks at what follows until it is sure; text is held back from the first candidate that is
not sure yet, and from nowhere else. So an ordinary word passes at once, a word like ``sk-`` waits for its
end, and of a secret no character is ever let through. Candidates depend on the text alone, never on where
it was cut, hence the same edits under any chunking.

Ways in: the prefix of a known token, ``-----BEGIN``, a digit (payment cards, bot tokens), a country code with
two digits (IBAN), and a sign of assignment (``:``, ``=``, "is") with a word like *password* or a user of an
address before it. In the last case only the value is held and masked.
"""

from __future__ import annotations

import re
import string
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import re2

from engine.guards import credentials
from engine.guards.encoded import Spread, Visible
from engine.guards.gates import Gate, raw
from engine.guards.leaves import LeafReadingGuard
from engine.guards.page import Detector, Page
from engine.guards.policy import Category, Rules, gravest, masks
from engine.guards.verdict import Allow, Mask, Verdict
from engine.guards.words import decodings
from engine.messages import Found
from engine.ports import Edit, Scan

VERSION: Final = "2"
MAX_HOLD: Final = 4096
"""Characters after which an unfinished secret is masked as it stands, and its rest with it."""
_CONTEXT: Final = 96
_MAX_VALUE: Final = 512


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A secret from ``start`` to ``end``. An empty ``name`` is the rest of one that was named before."""

    start: int
    rank: int                   # of two at one place the more telling name wins
    end: int
    rule: str
    name: str


class _Candidate(Protocol):
    """A place where a secret could begin. Offsets inside are those of the whole text."""

    hold: int

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        """True: decided. ``text`` begins at offset ``base`` of the whole."""
        ...


# --- ways in


def _trie(words: tuple[str, ...], *, partial: bool, between: str = "") -> str:
    """A pattern for all the words, or (``partial``) for all beginnings of them, with ``between`` in them."""
    branches: dict[str, list[str]] = {}
    for word in words:
        if word:
            branches.setdefault(word[0], []).append(word[1:])
    if not branches or ("" in words and not partial):
        return ""
    behind = {first: _trie(tuple(rest), partial=partial, between=between) for first, rest in sorted(branches.items())}
    arms = [re.escape(first) + (f"{between}{rest}" if rest else "") for first, rest in behind.items()]
    return "(?:" + "|".join(arms) + ")" + ("?" if partial else "")


_EDGE: Final = r"(?<![A-Za-z0-9])"
_BEGIN: Final = "-----BEGIN "
_START: Final = re.compile(
    f"{_EDGE}(?:({_trie(credentials.PREFIXES, partial=False)})|([A-Z]{{2}}[0-9]{{2}})"
    r"|([0-9])(?=[0-9]{3}[0-9 \-]|[0-9]{0,3}\Z))"      # no year, no count
)
_LIVELY: Final = re.compile(rf"{_START.pattern}|[*`~|\\]")
"""Where there is none of these, nothing begins but a key."""
_BEGUN: Final = re.compile(
    f"{_EDGE}(?=[A-Za-z])(?:{_trie(credentials.PREFIXES, partial=True)}|[A-Z]{{1,2}}[0-9]?)\\Z"
)
_BEGINNING: Final = rf"(?=[A-Za-z]){_trie(credentials.PREFIXES, partial=True)}"
_BEGINNINGS: Final = frozenset(prefix[:size] for prefix in credentials.PREFIXES for size in range(len(prefix) + 1))
_MARKED: Final = re.compile(rf"{_EDGE}{_BEGINNING}[*`~|\\]")
"""A mark of Markdown, which nobody sees, in the middle of a prefix or behind it."""
_PROPER: Final = re.compile(_BEGINNING)
_MARK: Final = re.compile(r"[*`~|\\]")
_LONGEST: Final = max(map(len, credentials.PREFIXES))
_WHOLE: Final = frozenset(credentials.PREFIXES)
_OF_PREFIXES: Final = frozenset("".join(credentials.PREFIXES) + _BEGIN + string.ascii_uppercase + string.digits)
"""What may stand at the end of a text in which a secret has begun."""
_NO_LETTER: Final = "(?<![A-Za-z\u0130\u0131\u017f\u212a].)"     # the last four are letters of these in another case
_SIGN: Final = re.compile(      # each begins with what few characters are, so that they are found quickly
    "[:=：是为為iIwWbB\u0130\u0131\\-](?:(?<=[:=：是为為])"
    f"|(?<=[iI\u0130\u0131]){_NO_LETTER}[sS\u017f] |(?<=[wW]){_NO_LETTER}(?i:as) "
    f"|(?<=[bB]){_NO_LETTER}(?i:earer|asic) "
    f"|(?<=-){_NO_LETTER}-(?i:password|passwd|token|secret|api-key|pass) )"
)
_IS: Final = re.compile(r"(?<![^\W\d_])(?:ist|est|lautet) ", re.IGNORECASE)      # "is" in German and in French
_LONGEST_SIGN: Final = 12
_SIGNED: Final = re.compile("[:=：是为為]|[CDNRSTYcdnrsty\u017f] ")
"""The end of any of them, found in a third of the time."""
_KEY: Final = re.compile(
    r"(?:passw(?:or)?d|passwort|kennwort|mot de passe|passphrase|passcode|(?<![a-z])pass|pwd|(?<![a-z])pw|secret"
    r"|(?:api|access|secret|private|account|encryption|signing|master|shared|auth|license)[_\- ]?key|token|credentials?"
    r"|密码|密碼|口令|密钥|密鑰|令牌)[\"'`*\])\s]{0,4}\Z",
    re.IGNORECASE,
)
_BEHIND_KEY: Final = "\"'`*]) \t\r\n\v\f\u00a0\u3000"
_KEY_ENDS: Final = (
    "passwd", "password", "passwort", "kennwort", "mot de passe", "passphrase", "passcode", "pass", "pwd", "pw",
    "secret", "key", "token", "credential", "credentials", "密码", "密碼", "口令", "密钥", "密鑰", "令牌",
)
"""Says the same as the end of `_KEY`, in a tenth of the time."""
_USER: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,24}://[^\s/:@?#\"'<>]{0,64}\Z")


# --- what a whole text must hold to be worth the scanner's while: RE2 says in a few microseconds that it does not


def _any(*patterns: str) -> str:
    return "|".join(f"(?:{pattern})" for pattern in patterns)


_BETWEEN: Final = r"[ \t\r\n\x{a0}\\\"'*`~|+]*"       # the parts of a token; see `_Broken`
_OF_DISCORD: Final = rf"(?:{_BETWEEN}[A-Za-z0-9_\-])"
_TELLING: Final = tuple(
    prefix for prefix in credentials.PREFIXES if len(prefix) > 1 and not re.fullmatch("A[KSBC][IC]A", prefix)
)
_STARTS_AT_ALL: Final = re2.Set.SearchSet()     # of one pattern, so that it is no match's beginning that is sought
_STARTS_AT_ALL.Add("(?:^|[^A-Za-z0-9])" + _any(
    _trie(_TELLING, partial=False, between=_BETWEEN),
    "[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11}",
    "[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}", "[0-9]{4}[ -][0-9]{6}[ -][0-9]{4}", "[0-9]{12}",
    r"[0-9]{8,10}:[A-Za-z0-9_\-]{35}",
    # Words are written like these two begin, so what follows has to be in its place.
    rf"A{_BETWEEN}[KSBC]{_BETWEEN}[IC]{_BETWEEN}A(?:{_BETWEEN}[A-Z0-9]){{16}}",
    rf"[MNO]{_OF_DISCORD}{{22,28}}{_BETWEEN}\.{_OF_DISCORD}{{6,7}}{_BETWEEN}\.{_OF_DISCORD}{{8}}",
))
_STARTS_AT_ALL.Compile()
_SIGNS_AT_ALL: Final = Gate("(?i)" + _any(
    r"(?:passw(?:or)?d|passwort|kennwort|passe|passphrase|passcode|pass|pwd|pw|secret|key|token|credentials?"
    r"|密码|密碼|口令|密钥|密鑰|令牌)"
    r"[\"'`*\]) \t\r\n\v\f\x{a0}\x{3000}]{0,4}(?:[:=：是为為]|[i\x{130}\x{131}]s |was |ist |est |lautet )",
    r"(?:^|[^a-z])(?:bearer|basic) ", "--(?:password|passwd|token|secret|api-key|pass) ",
    r"://[^\s/:@#\"'<>]{0,64}:",
))


class Scanner:
    """Reads one text, piece by piece."""

    __slots__ = ("_alive", "_base", "_end", "_found", "_only_keys", "_signs", "_starts", "_text")

    def __init__(self) -> None:
        self._text = ""             # what is not decided yet, and _CONTEXT before it
        self._base = 0              # offset of its first character in the whole
        self._end = 0
        self._starts = 0            # up to here no secret begins that is not in _alive
        self._signs = 0
        self._only_keys = False     # nothing but a private key may begin in it
        self._alive: list[_Candidate] = []
        self._found: list[Span] = []

    def read(self, text: str, *, final: bool = False) -> tuple[int, list[Span]]:
        """How many characters from the start are safe, and the new secrets before that, in order, apart."""
        if final and not self._end:
            self._whole(text)
        elif (
            text.isalpha() and text.isascii() and self._starts == self._signs == self._end
            and not (final or self._alive or self._found) and self._text[-1:].isalnum() and self._text.isascii()
        ):
            self._text += text          # a word goes on in which nothing has begun
            self._starts = self._signs = self._end = self._end + len(text)
            return self._end, []
        self._text += text
        self._end += len(text)
        if self._alive:
            waiting, self._alive = self._alive, []
            for candidate in waiting:
                self.consider(candidate, final=final)
        if self._starts != self._end:
            self._look_for_starts(final)
        if self._signs != self._end:
            self._look_for_signs(final)
        safe = self._starts
        if self._alive:
            safe = min(safe, *[candidate.hold for candidate in self._alive])
        if self._found:
            for span in reversed(self._found):      # one that goes on beyond the safe point is held from its beginning
                if span.end > safe:
                    safe = min(safe, span.start)
        if safe - self._base > 2 * _CONTEXT and len(self._text) > 4 * _CONTEXT:
            cut = safe - self._base - _CONTEXT
            self._text, self._base = self._text[cut:], self._base + cut
        return safe, self._settled(safe) if self._found else []

    def _whole(self, text: str) -> None:
        """Passes over all of a text that comes in one piece and has nothing in it that could be a secret."""
        if not _STARTS_AT_ALL.Match(raw(text)):
            self._only_keys = True
            if _BEGIN not in text:
                self._starts = len(text)
        if not _SIGNS_AT_ALL.open(text):
            self._signs = len(text)

    def consider(self, candidate: _Candidate, *, final: bool) -> None:
        """Looks at a candidate, and keeps it while it is undecided."""
        if not candidate.look(self._text, self._base, final, self):
            self._alive.append(candidate)

    def hit(self, start: int, end: int, rule: str, name: str, rank: int = 0) -> None:
        """A candidate found a secret."""
        if end > start:
            insort(self._found, Span(start, rank, end, rule, name))

    def _look_for_starts(self, final: bool) -> None:
        text, base = self._text, self._base
        begun = self._starts - base
        if self._only_keys:
            self._look_for_keys(begun, final)
            self._starts = self._end
            return
        if not _LIVELY.search(text, begun) and text.find(_BEGIN, begun) < 0:        # nearly always
            self._starts = self._end
            if not final:
                self._hold_beginnings()
            return
        for found in _START.finditer(text, begun):
            start = base + found.start()
            which = found.lastindex
            if which == 1:
                self.consider(_Token(start), final=final)
                if found.end() == found.start() + 1:        # M, N and O open country codes as well
                    self.consider(_Iban(start), final=final)
            elif which == 2:
                self.consider(_Iban(start), final=final)
            else:
                self.consider(_Digits(start), final=final)
        behind = begun
        for mark in _MARK.finditer(text, behind):
            at = mark.start()
            if text[at - 1 : at] in _OF_PREFIXES and (
                marked := _MARKED.search(text, max(at - _LONGEST, behind), at + 1)
            ):
                self.consider(_Broken(base + marked.start()), final=final)
                behind = at + 1
        self._look_for_keys(begun, final)
        self._starts = self._end
        if not final:
            self._hold_beginnings()

    def _look_for_keys(self, begun: int, final: bool) -> None:
        at = self._text.find(_BEGIN, begun)
        while at >= 0:
            self.consider(_PrivateKey(self._base + at), final=final)
            at = self._text.find(_BEGIN, at + 1)

    def _hold_beginnings(self) -> None:
        """Holds what could become the prefix of a token, or the head of a key."""
        text, base = self._text, self._base
        if text[-1:] not in _OF_PREFIXES:
            return
        word = text[max(len(text) - _LONGEST, text.rfind(" ") + 1) :]
        if (
            word.isalpha() and word.isascii() and word not in _BEGINNINGS and not (len(word) < 3 and word.isupper())
        ):
            return                                      # nearly always
        begun = _BEGUN.search(text, len(text) - len(word))
        if begun and begun.group() not in _WHOLE:       # a whole one has been considered above
            self._starts = base + begun.start()
        if text[-1] in _BEGIN and text.find("-", -len(_BEGIN)) >= 0:
            for size in range(len(_BEGIN) - 1, 0, -1):
                if text.endswith(_BEGIN[:size]):
                    self._starts = min(self._starts, self._end - size)
                    break

    def _look_for_signs(self, final: bool) -> None:
        text = self._text
        new = max(self._signs - self._base - 1, 0)
        if not _SIGNED.search(text, new):
            self._signs = self._end
            return
        for found in _SIGN.finditer(text, max(self._signs - self._base - _LONGEST_SIGN, 0)):
            self._look_before(found.start(), found.end(), final)
        if text.find("t ", new) >= 0 or text.find("T ", new) >= 0:
            for found in _IS.finditer(text, max(new - _LONGEST_SIGN, 0)):
                self._look_before(found.start(), found.end(), final)
        self._signs = self._end

    def _look_before(self, start: int, end: int, final: bool) -> None:
        """Whether a sign, which is at ``start`` in what is not decided yet, says that a secret follows."""
        if (at := self._base + end) <= self._signs:
            return
        before = self._text[max(start - _CONTEXT, 0) : start]
        sign = self._text[start:end].lower()
        if sign in ("bearer ", "basic ") or sign.startswith("--"):
            self.consider(_Value(at, sign.strip(" -")), final=final)
            return
        if sign == ":" and "://" in before and _USER.search(before):
            self.consider(_Login(at), final=final)
        if before[-28:].rstrip(_BEHIND_KEY).lower().endswith(_KEY_ENDS) and _KEY.search(before):
            self.consider(_Value(at, "loose" if sign.isalpha() or sign[-1] == " " else "strict"), final=final)

    def _settled(self, safe: int) -> list[Span]:
        """Secrets that end by ``safe``; those that overlap become one. No later one reaches back here."""
        done = [span for span in self._found if span.end <= safe]
        self._found = [span for span in self._found if span.end > safe]
        apart: list[Span] = []
        for span in done:
            if apart and span.start < apart[-1].end:
                last = apart[-1]
                apart[-1] = Span(last.start, last.rank, max(last.end, span.end), last.rule, last.name)
            else:
                apart.append(span)
        return apart


# --- candidates

_NOT_TOKEN: Final = re.compile(r"[^A-Za-z0-9_.\-/+=]")


class _Token:
    """A token behind its prefix; it goes on to the first character that no token has."""

    __slots__ = ("_at", "hold")

    def __init__(self, start: int) -> None:
        self.hold = self._at = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        limit = start + MAX_HOLD
        stop = _NOT_TOKEN.search(text, self._at - base, limit)
        capped = stop is None and len(text) >= limit
        if stop is None and not capped and not final:
            if credentials.hopeless(text[start : start + 24]):
                return True
            self._at = base + len(text)
            return False
        end = stop.start() if stop else min(limit, len(text))
        found = credentials.token(text[start:end])
        if found:
            length, rule, name = found
            if capped and length == MAX_HOLD:
                scanner.hit(self.hold, base + end, rule, name)
                scanner.consider(_Rest(base + end, rule), final=final)
                return True
            scanner.hit(self.hold, self.hold + length, rule, name)
            if rule == "aws_key":
                scanner.consider(_AwsSecret(self.hold + length), final=final)
        elif _BROKEN.match(text, start) or _MARKED.match(text, start):
            scanner.consider(_Broken(self.hold), final=final)
        return True


_BROKEN: Final = re.compile(
    rf"(?=[A-Za-z0-9_.]{{4}}|sk-|xox)(?:{_trie(credentials.PREFIXES, partial=False)})[A-Za-z0-9_.\-]*[\s\"'+\\*`~|]"
)
_JOINT: Final = re.compile(
    r"[ \t\u00a0]{1,2}|[ \t]?\\?\r?\n[ \t]*|[\"'] ?\+ ?[\"']|[\"'] [\"']|[*`~|]{1,4}|\\(?=[_\-.])"
)
_JOINT_BEGUN: Final = re.compile(r"(?:[ \t\u00a0]{1,2}|[ \t]?\\?\r?\n?[ \t]*|[\"'] ?\+? ?[\"']?|[*`~|]{1,4})\Z")
_GROUP: Final = re.compile(r"[A-Za-z0-9_\-+/=.]{1,64}")
_MAX_BROKEN: Final = 320


class _Broken:
    """A token with blanks, line ends, string joints or marks of Markdown, which nobody sees, between its parts."""

    __slots__ = ("hold",)

    def __init__(self, start: int) -> None:
        self.hold = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        first = _GROUP.match(text, start)
        at = first.end() if first else start
        joined, hit = text[start:at], (0, "", "")
        while at - start < _MAX_BROKEN:
            joint = _JOINT.match(text, at)
            group = _GROUP.match(text, joint.end()) if joint else None
            if (group is None or group.end() == len(text)) and not final and (
                group is not None or _JOINT_BEGUN.match(text, at)
            ):
                return False            # the part may go on, or another may follow
            if joint is None or group is None or not (
                _part(group.group()) or (_MARK.match(joint.group()) and _PROPER.fullmatch(joined))
            ):
                break
            joined, at = joined + group.group(), group.end()
            if found := credentials.token(joined):
                hit = (at, *found[1:])
        if hit[0]:
            scanner.hit(self.hold, base + hit[0], hit[1], hit[2])
        return True


def _part(group: str) -> bool:
    """Whether it looks like a piece of a token, not like a word."""
    word = group.rstrip(".")
    return len(word) == 1 or any(c.isdigit() for c in word) or (not word.islower() and not word.istitle())


class _Rest:
    """What follows of a token that was masked before its end was seen."""

    __slots__ = ("_at", "_rule", "hold")

    def __init__(self, start: int, rule: str) -> None:
        self.hold = self._at = start
        self._rule = rule

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        limit = self.hold - base + MAX_HOLD
        stop = _NOT_TOKEN.search(text, self._at - base, limit)
        if stop is None and len(text) >= limit:
            scanner.hit(self.hold, base + limit, self._rule, "")
            scanner.consider(_Rest(base + limit, self._rule), final=final)
            return True
        if stop is None and not final:
            self._at = base + len(text)
            return False
        scanner.hit(self.hold, base + (stop.start() if stop else len(text)), self._rule, "")
        return True


_AWS_BEGUN: Final = re.compile(r"[\s/:,;|\"'`&=\-]{0,8}[A-Za-z0-9/+]{0,40}\Z")
_AWS_SECRET: Final = re.compile(r"[\s/:,;|\"'`&=\-]{1,8}?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")


class _AwsSecret:
    """The secret half, when it stands right behind the key's public one."""

    __slots__ = ("hold",)

    def __init__(self, start: int) -> None:
        self.hold = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        if not final and len(text) - start <= 48 and _AWS_BEGUN.match(text, start):
            return False
        found = _AWS_SECRET.match(text, start)
        if found and credentials.aws_secret(found.group(1)):
            scanner.hit(base + found.start(1), base + found.end(1), "aws_secret", "AWS secret key")
        return True


_CARD_BEGUN: Final = re.compile(
    r"(?:[0-9]{1,19}|[0-9]{4}[ -](?:[0-9]{0,6}|[0-9]{6}[ -][0-9]{0,5}|(?:[0-9]{4}[ -]){1,2}[0-9]{0,4}"
    r"|(?:[0-9]{4}[ -]){3}[0-9]{0,3})|[0-9]{8,10}:[A-Za-z0-9_\-]{0,36})\Z"
)
_BOT_TOKEN: Final = re.compile(r"[0-9]{8,10}:[A-Za-z0-9_\-]{35}(?![A-Za-z0-9_\-])")


class _Digits:
    """A payment card's number, or the token of a Telegram bot."""

    __slots__ = ("hold",)

    def __init__(self, start: int) -> None:
        self.hold = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        if not final and len(text) - start <= 48 and _CARD_BEGUN.match(text, start):
            return False
        if end := credentials.card(text, start):
            scanner.hit(self.hold, base + end, "card", "card number")
        elif found := _BOT_TOKEN.match(text, start):
            scanner.hit(self.hold, base + found.end(), "telegram", "Telegram token")
        return True


_COUNTRY_BEGUN: Final = re.compile(r"[A-Z]{1,2}[0-9]{0,2}\Z")


class _Iban:
    """An account number: as many letters and digits as its country has, single blanks between them allowed."""

    __slots__ = ("hold",)

    def __init__(self, start: int) -> None:
        self.hold = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start, end = self.hold - base, len(text)
        wanted = credentials.IBAN_LENGTHS.get(text[start : start + 2], 0)
        if not wanted or not text[start + 2 : start + 4].isdigit():
            return final or not _COUNTRY_BEGUN.match(text, start)
        number, at = "", start
        while at < end and len(number) < wanted:
            char = text[at]
            if char.isascii() and (char.isdigit() or char.isupper()):
                number += char
            elif char != " " or text[at - 1] == " ":
                return True
            at += 1
        if at == end and not final:
            return False                # the next character says whether the number ends here
        if len(number) == wanted and not (at < end and text[at].isalnum()) and credentials.iban(number):
            scanner.hit(self.hold, base + at, "iban", "account number")
        return True


_OPENING: Final = re.compile(r"[=>]?[ \t]{0,4}[\"'`*“「]{0,3}(?:(?:bearer|basic|token)[ ]+)?", re.IGNORECASE)
_OPENING_BEGUN: Final = re.compile(r"[=>]?[ \t]{0,4}[\"'`*“「]{0,3}(?:[BbTt][A-Za-z]{0,5} *)?\Z")
_VALUE_END: Final = re.compile(r"[\s\"'`<>，。；、）】」”]")
_QUOTED_END: Final = {quote: re.compile(f"[{quote}\\n]") for quote in "\"'`"}
_TRAILING: Final = ".,;:)]}*"


class _Value:
    """What stands behind ``password:``. Only the value is a secret, so nothing before it is held."""

    __slots__ = ("_at", "_how", "_stop", "hold")

    def __init__(self, start: int, how: str) -> None:
        self.hold = start
        self._how = how
        self._at = -1                   # where the value begins, once its quotation marks are behind us
        self._stop = 0

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        if self._at < 0:
            begun = _OPENING_BEGUN.match(text, self.hold - base)
            if begun and not final:
                return False
            opening = _OPENING.match(text, self.hold - base)
            assert opening is not None  # noqa: S101 - every part of the pattern is optional
            self._at = self._stop = base + opening.end()
            if self._how == "strict" and (named := opening.group().lower().rstrip()).endswith(("bearer", "basic")):
                self._how = "bearer" if named.endswith("bearer") else "basic"
        at = self._at - base
        end = _QUOTED_END.get(text[at - 1], _VALUE_END).search(text, self._stop - base, at + _MAX_VALUE)
        capped = end is None and len(text) >= at + _MAX_VALUE
        if end is None and not capped and not final:
            self._stop = base + len(text)
            return False
        value = text[at : end.start() if end else at + _MAX_VALUE]
        quoted = text[at - 1] in _QUOTED_END
        bare = value if quoted else value.rstrip(_TRAILING)
        if self._fits(bare):
            scanner.hit(self._at, self._at + len(bare), "assignment", _NAMES.get(self._how, "password"), rank=1)
            if capped:
                scanner.consider(_Rest(self._at + len(value), "assignment"), final=final)
        return True

    def _fits(self, value: str) -> bool:
        if self._how in ("bearer", "token"):
            return credentials.bearer(value)
        if self._how == "basic":
            return credentials.basic(value)
        return credentials.password(value, loose=self._how == "loose")


_NAMES: Final = {"bearer": "token", "token": "token", "basic": "credentials", "strict": "secret", "loose": "secret"}
_PORT: Final = re.compile(r"[0-9]{0,5}(?:[^0-9A-Za-z@%._~!$&'()*+,;=:\-]|\Z)")
_LOGIN_END: Final = re.compile(r"[\s\"'<>`，。）]")
_LOGIN: Final = re.compile(r"(.+)@[A-Za-z0-9\[]", re.DOTALL)
_FILL_IN: Final = re.compile(r"[$<{%\[]")


class _Login:
    """The password in ``postgres://user:password@host``."""

    __slots__ = ("_at", "hold")

    def __init__(self, start: int) -> None:
        self.hold = self._at = start

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        if (port := _PORT.match(text, start)) and (port.end() < len(text) or text[-1:] not in "0123456789:"):
            return True
        limit = start + _MAX_VALUE
        end = _LOGIN_END.search(text, self._at - base, limit)
        if end is None and len(text) < limit and not final:
            self._at = base + len(text)
            return False
        found = _LOGIN.match(text[start : end.start() if end else limit])
        if found:
            secret = found.group(1)
            if not credentials.placeholder(secret) and not _FILL_IN.match(secret):
                scanner.hit(self.hold, self.hold + len(secret), "login", "password", rank=1)
        return True


_HEAD: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_HEAD_BEGUN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,52}-{0,5}\Z")
_BREAKS: Final = r"(?:\\[nrt]|\\(?![nrt]|\Z)|[\s\"'>|,#*.…])"
_ENOUGH: Final = 16             # no word of a sentence is that long
_LINE: Final = re.compile(rf"[A-Za-z0-9+/=]{{{_ENOUGH},}}(?![A-Za-z0-9+/=]|\Z)")
_FIELD: Final = r"[A-Za-z][A-Za-z-]{1,13}: [^\n\\]{0,200}(?:\n|\\n)"
_BODY: Final = re.compile(f"(?:{_BREAKS}|{_FIELD}|{_LINE.pattern})*")
_FOOT: Final = re.compile(rf"[A-Za-z0-9+/=]{{0,15}}{_BREAKS}*-----END [A-Z0-9 ]{{0,52}}-----")
_BODY_BEGUN: Final = re.compile(
    rf"(?:[A-Za-z0-9+/=]*{_BREAKS}*(?:-{{0,5}}|-----E|-----EN|-----END[A-Z0-9 ]{{0,53}}-{{0,5}}|\\)"
    r"|[A-Za-z][A-Za-z-]{0,13}(?::(?: [^\n\\]{0,200}\\?)?)?)\Z"
)
_REST: Final = re.compile(r"[A-Za-z0-9+/=]*")


class _PrivateKey:
    """A whole PEM or PGP block: head, fields, lines of base64 (or their ``\\n`` form), foot.

    A block that breaks off is masked up to its last full line; a head with no key behind it is somebody's
    explanation of the format, and stays.
    """

    __slots__ = ("_at", "_cut", "_last", "_name", "hold")

    def __init__(self, start: int, *, cut: bool = False) -> None:
        self.hold = start
        self._at = start if cut else -1     # up to here the block is read, in whole lines
        self._last = start if cut else -1   # where the last line of base64 ended
        self._cut = cut                     # the rest of a block that was masked before its foot was seen
        self._name = "" if cut else "private key"

    def look(self, text: str, base: int, final: bool, scanner: Scanner) -> bool:
        start = self.hold - base
        if self._at < 0:
            head = _HEAD.match(text, start)
            if head is None:
                return final or not _HEAD_BEGUN.match(text, start)
            self._at = base + head.end()
        limit = min(start + MAX_HOLD, len(text))
        over = final or limit == start + MAX_HOLD
        if self._cut:
            rest = _REST.match(text, start, limit)
            self._last = self._at = base + (rest.end() if rest else start)
            if self._at == base + limit and not over:
                return False
            self._cut = False
        at = self._read(text, base, limit)
        if foot := _FOOT.match(text, at, limit):
            end = base + foot.end()
        elif not _BODY_BEGUN.match(text, at, limit):
            end = self._last
        elif over:
            end = base + limit
            rest = _REST.match(text, at, limit)
            if rest and rest.end() - at >= _ENOUGH:
                self._last = end                # a line that the end cut off
        else:
            return False
        if self._last >= 0:
            scanner.hit(self.hold, end, "private_key", self._name)
            if end == base + start + MAX_HOLD:
                scanner.consider(_PrivateKey(end, cut=True), final=final)
        return True

    def _read(self, text: str, base: int, limit: int) -> int:
        """Moves on over whole lines, and returns where in ``text`` it stands."""
        at = self._at - base
        body = _BODY.match(text, at, limit)
        end = body.end() if body else at
        for line in _LINE.finditer(text, at, end + 1):      # the character behind a line shows that it is whole
            self._last = base + line.end()
        self._at = base + end
        return end


# --- the guards


def notice(span: Span) -> str:
    """What stands in a secret's place."""
    return f"[{span.name} removed]" if span.name else ""


class SecretsGuard(LeafReadingGuard):
    """Masks secrets in both directions."""

    name = "secrets"
    version = VERSION
    beside = False                      # what it masks must not reach the index either

    def __init__(self, rules: Rules | None = None) -> None:
        """``rules``: what becomes of a message with a secret in it. None: it goes on without the secret."""
        self._rules = rules

    async def check(self, text: str) -> Verdict:
        """Inbound: what the policy says about each kind of secret; those to be masked are masked together."""
        page = Page(markdown=False)
        page.turn(text, final=True)
        SecretsReader().read(page)
        if not page.edits:
            return Allow()
        kinds = sorted({edit.rule for edit in page.edits})
        rules = self._rules
        masking = kinds if rules is None else [kind for kind in kinds if masks(rules.rule(Category.SECRET, kind))]
        cut = Mask(self._without(text, [edit for edit in page.edits if edit.rule in masking]), ",".join(masking),
                   Category.SECRET)
        if rules is None:
            return cut
        said = gravest(rules.verdict(Category.SECRET, kind, text=text, masked=cut.text) for kind in kinds)
        return replace(cut, also=said.also) if isinstance(said, Mask) else said

    @staticmethod
    def _without(text: str, edits: Iterable[Edit]) -> str:
        parts: list[str] = []
        at = 0
        # Of those that overlap the first and longest speaks for all.
        for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
            if edit.start >= at:
                parts += text[at : edit.start], edit.text
            at = max(at, edit.end)
        return "".join(parts) + text[at:]

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """Outbound, for one answer."""
        return Detector(SecretsReader, around=_PlainReader, thoughts=_PlainReader)


def holds(text: str) -> tuple[str, str] | None:
    """Rule and name of a secret in a text that was hidden in another."""
    if not _LIKELY.search(text):
        return None
    _, spans = Scanner().read(text, final=True)
    return next(((span.rule, span.name) for span in spans if span.name and span.rule not in _WEAK), None)


def amid(text: str) -> tuple[str, str] | None:
    """As `holds`, of single letters put together: a secret may begin behind any of them."""
    return holds(text) or holds(_PREFIX.sub(r" \g<0>", text))


_PREFIX: Final = re.compile(_trie(tuple(p for p in credentials.PREFIXES if len(p) > 1), partial=False))
_LIKELY: Final = re.compile(
    rf"(?:{_trie(tuple(p for p in credentials.PREFIXES if len(p) > 1), partial=False)})|-----BEGIN |[:=]"
    rf"|[MNO][A-Za-z0-9_\-]{{22}}"
)
_WEAK: Final = frozenset(("card", "iban"))
"""Not looked for in decoded words: any long number may be one, turned around."""


class _Plain:
    """Secrets as they stand, of a text that comes without its page."""

    __slots__ = ("_scanner",)

    def __init__(self) -> None:
        self._scanner = Scanner()

    def read(self, text: str, *, final: bool = False) -> Scan:
        safe, spans = self._scanner.read(text, final=final)
        return Scan(safe, tuple([Edit(s.start, s.end, notice(s), s.rule) for s in spans])) if spans else Scan(safe)


class _PlainReader:
    """A `Reader` of secrets as they stand."""

    __slots__ = ("_scanner",)

    def __init__(self) -> None:
        self._scanner = Scanner()

    def read(self, page: Page) -> int:
        safe, spans = self._scanner.read(page.text, final=page.final)
        for span in spans:
            page.edit(Edit(span.start, span.end, notice(span), span.rule))
        return safe


class SecretsReader:
    """Secrets as they stand, with invisible characters in them, spread out, and encoded: edits, none shown before."""

    __slots__ = ("_safe", "_scanner", "_spread", "_visible")

    def __init__(self) -> None:
        self._scanner = Scanner()
        self._visible = Visible(_Plain)
        self._spread = Spread(amid, _removed)
        self._safe = 0

    def read(self, page: Page) -> int:
        """The next piece. What one of the four found may be held by another."""
        words = page.words()
        safe, spans = self._scanner.read(page.text, final=page.final)
        for span in spans:
            page.edit(Edit(span.start, span.end, notice(span), span.rule))
        visible, spread = self._visible.read(page, self._safe), self._spread.read(page)
        if not safe == visible == spread == words.safe:     # nearly never
            safe = min(safe, visible, spread, words.safe)
        for word in words.ended:
            hit = next((hit for text in decodings(word.text) if (hit := holds(text)) is not None), None)
            if hit is not None:
                page.edit(Edit(word.start, word.end, _removed(hit[1]), hit[0]))
        safe = self._safe = max(safe, self._safe)
        return safe


def _removed(name: str) -> str:
    return f"[{name} removed]"
