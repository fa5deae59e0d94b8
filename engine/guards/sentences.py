"""Cuts an answer into the sentences that a judge wants to see whole before anybody else sees them.

A sentence may begin where one may begin (the start, behind an end mark, a colon, a line break, list marks), and
at a *seam*, where a service cut an answer short and pasted its own words behind: a capital letter behind another
letter or a blank, another script, or a few ideographs that open such a line; behind a comma, those of an apology
or an interjection. From there text is held in three
steps, each of which lets nearly all of it go: the first word or two say whether the judge is interested at all;
by `forms.GATE` characters it says whether this could be one of its sentences; and only those are held to their
end (or for `MAX_HELD` characters) and judged. A judge may ask for one more sentence.

Quotations are not what the answer says: a sentence inside quotation marks is judged only if these are never
closed, one in code or in a block quote never.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from engine.guards.forms import GATE, WIDE_GATE
from engine.guards.markup import Where
from engine.guards.page import Page
from engine.guards.verdict import Allow, Refuse, Reroute, Verdict

MAX_HELD: Final = 320
"""Characters after which a sentence that does not end is judged as it stands."""
_MAX_QUOTE: Final = 600
_KEEP: Final = 64
_LONG: Final = 2048             # characters that are kept before some of them are let go
_HEAD: Final = 4096             # of a long answer, what a judge is told of its beginning

_PROSE: Final = Where.PROSE
_MARGIN: Final = Where.MARGIN
_BREAK: Final = Where.BREAK
_SINGLE: Final = {"'": "'", "‘": "’'", "‚": "‘’"}
_QUOTES: Final = {'"': '"', "“": "”", "„": "“”", "「": "」", "『": "』", "«": "»", "»": "«"} | _SINGLE
_SINGLES: Final = frozenset(_SINGLE.values())
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LEAD: Final = re.compile(r"[\s\[\](（【*_#>•·\-–—…\d.)]*")
_WIDE: Final = "\u3040-\u30ff\u3400-\u9fff"
_ASIDE: Final = "哎唉嗯唔呃诶哦喔噢抱很非十实實真深万萬对對不遗遺"
"""Ideographs that apologies and interjections begin with."""
_ONLY_ASIDE: Final = frozenset("非十深万萬遗遺唉呃诶请請还還")
"""Those among them that open no other sentence in the middle of a run."""
_BETWEEN: Final = (             # two characters: behind what may close a quotation, and behind a sentence
    r"|(?<=['’‘])(?=[^\w'’‘])"
    r"|(?:(?<=[.!?…:;])|(?<=[.!?…:;][\"'”’)\]*_])|(?<=[.!?…:;][\"'”’)\]*_]{2}))(?=\s)"
)
_MARKS: Final = (
    "[\"“”„「」『』«»]"
    r"|(?<![^\W_])['‘‚]"
    "{between}"
    "|[。！？｡：；]"
)
_SEAMS: Final = (
    r"|[A-ZÀ-ÖØ-ÞА-ЯЁ](?:(?<=[^\W_A-Z].)|(?<=[ \])）】].)|(?<=[A-Z][A-Z])(?=[a-z]))|\[(?=\D)"
    f"|(?<=[^\\W{_WIDE}])[{_WIDE}]|(?<=[^\\W{_WIDE}][ .])[{_WIDE}]"
    "|(?<![,，、])[抱对對不很实實真哎嗯感坦这這该該此我您你根按依为為系內内以刚剛余餘下本让讓咱换換要作暂暫因小由其相有非十深万萬遗遺唉呃诶请請还還]"
    f"|(?<=[,，、])[{_ASIDE}]"
)
_POINT: Final = re.compile(_MARKS.replace("{between}", _BETWEEN) + _SEAMS)
_MARK: Final = re.compile(_MARKS.replace("{between}", "") + _SEAMS)
_SEAMLESS: Final = re.compile(_MARKS.replace("{between}", _BETWEEN))
_SEAMLESS_MARK: Final = re.compile(_MARKS.replace("{between}", ""))
_LOWER: Final = re.compile("[a-z0-9 ,(/%+=#@&$<>{}|~^–—-]+")
"""There is no point in these, nor behind them."""
_EVEN: Final = re.compile("[A-Za-z0-9 ,(/%+=#@&$<>{}|~^–—-]+")
"""The same where seams do not count."""
_BEFORE_POINTS: Final = frozenset(".!?…:;\"'’‘”)]*_")
"""Behind one of these there may be a point although what follows is no sign."""
_ENDS: Final = frozenset("。！？｡")
_CUT_OFF: Final = re.compile("[A-Z][A-Z]$")
"""The second of these begins a word if a small letter follows."""
_SAYS: Final = (
    r"\b(?:sa(?:id|ys?|ying)|replie[ds]|reply(?:ing)?|answer(?:s|ed|ing)|wr(?:ote|ites?|itten|iting)|respond(?:s|ed|ing)?"
    r"|tells?|told|reads?|quotes?|quoted|states?|stated|called|titled|named)\b"
)
_SAYS_ZH: Final = "(?:说|說|写道|寫道|答道|叫做?|题为|題為|名为|名為)"
_NEAR: Final = 12
_ITEM: Final = re.compile(r"[-*•–—\d]")
_TOLD: Final = re.compile(
    r"(?i)(?:(?:" + _SAYS + r"|\b(?:translat\w*|rephras\w*|paraphras\w*|in (?:german|french|plain words)|english"
    r"|chinese|macro|template|snippet|canned|wording|phrases?|sentences?|examples?|messages?|e\.g\.|script"
    r"|transcript|minutes)(?!\w))[^.!?\n]{0,24}"
    r"|(?:" + _SAYS_ZH + "|回复|回覆|译文|譯文|翻译|翻譯|译成|譯成|译为|譯為|英文|中文|例如|比如|话术|話術|模板|范本"
    r"|範本|例句|原文|意思是)[^。！？\n]{0,12})[:：*_\s]*$"
)
"""What says, in front of a colon, that others said what follows."""
_SAYING: Final = re.compile(r"(?i)" + _SAYS + r"[\s,]*$")
"""And in front of a seam."""
_ELSEWHERE: Final = re.compile(r"[\"“„«「『][^\"“”„«»「」『』]{0,600}[\"”“»」』]|`[^`]*`")
"""What a sentence only quotes."""


class Place(NamedTuple):
    """Where a sentence stands: ``start`` in the text, behind ``before`` other sentences, perhaps at a seam."""

    start: int
    before: int
    seam: bool = False
    glued: bool = False         # no blank before the seam
    switched: bool = False      # the seam leads into another script
    alone: bool = False         # nothing precedes it and nothing follows
    aside: bool = False         # behind a comma, or in a run of ideographs where only an apology begins anything
    led: bool = False           # behind a colon of its line, or a line that ended with one
    told: bool = False          # and what leads to it is that others said so


_SOME_START: Final = Place(0, 0)
_SOME_SEAM: Final = Place(0, 0, seam=True)
_SOME_ASIDE: Final = Place(0, 0, seam=True, aside=True)
MORE: Final = Allow("more")
"""A judge that cannot tell yet."""


class Judge(Protocol):
    """What is looked for in sentences."""

    def wants(self, word: str, second: str, place: Place) -> bool:
        """Whether a sentence that opens with these words is of interest. ``second`` may be empty."""
        ...

    def may_begin(self, letters: str, place: Place) -> bool:
        """Whether a first word of interest may begin like this."""
        ...

    def suspects(self, text: str, place: Place) -> bool:
        """Whether it may be one, by its first characters."""
        ...

    def judge(self, sentences: str, place: Place, answer: Callable[[], str], *, last: bool) -> Verdict:
        """`Refuse` or `Reroute` ends the answer; `MORE`: one more sentence, please (not said when ``last``).

        ``answer()`` is all that has been said up to the end of these sentences; of a long one its beginning and end.
        """
        ...


@dataclass(slots=True)
class _Unit:
    place: Place
    opened: bool                # inside a quotation that is not closed yet
    gate: int                   # by so many characters the judge says whether it suspects anything
    intro: str = ""             # what a colon says of it
    wanted: bool = False        # its first words are of interest
    suspected: bool = False
    judged: int = -1            # offset up to which the judge has seen it, and asked for more


class Sentences:
    """A `Reader` that stops at the first sentence its judge objects to."""

    __slots__ = (
        "_base", "_before", "_first", "_fresh", "_head", "_in_quotes", "_intro", "_items", "_judge", "_lead",
        "_led", "_opened", "_point", "_quoted", "_seams", "_size", "_text", "_units", "_until", "_verdict", "by",
    )

    def __init__(
        self, judge: Judge, until: int | None = None, *, quoted: bool = True, seams: bool = True,
    ) -> None:
        """``until``: sentences that begin after so many characters are of no interest.

        ``quoted``: what stands in quotation marks that are never closed counts; ``seams``: what begins at one does.
        """
        self._seams = seams
        self._in_quotes = quoted
        self._judge = judge
        self._until = until
        self._text = ""             # what units are about, and _KEEP before it
        self._base = 0
        self._head = ""             # of what stood before, the beginning
        self._size = 0              # of the whole text
        self._point = 0             # up to here points have been looked for
        self._first = -1            # where the first sentence begins
        self._fresh = True
        self._lead = -1             # a bracket at the very end that may open a sentence
        self._led = -1              # where the colon is that leads to what this line says
        self._intro = ""            # the words in front of it, which may say that others said so
        self._items = False         # the last line was one of several that it led to
        self._opened = ""           # closes the quotation that we are in
        self._quoted = False
        self._before = 0
        self._units: list[_Unit] = []
        self._verdict: Verdict | None = None
        self.by: int | None = None
        """How many characters had to be read for the verdict."""

    def read(self, page: Page) -> int:
        """The next piece."""
        self._size = page.end
        if self._verdict is None:
            if self._until is not None and self._point > self._until and not self._units:
                return self._size                       # over
            if len(self._text) > _LONG:
                self._forget()
            for where, at, stretch in page.stretches:
                self._text += stretch
                if where is not _PROSE:
                    self._apart(where, at, stretch)
                elif self._quoted:
                    self._point = at + len(stretch)
                else:
                    self._prose()
                if self.by is not None:
                    break
            if page.final and self.by is None:
                self._prose(final=True)
                if self.by is None:
                    self._line_ends(self._size, over=True)
        if self._verdict is not None:
            page.judge(self._verdict, self.by)
        return self._held() if self._units or self._lead >= 0 else self._size

    def before_blanks(self, safe: int, *, final: bool) -> int:
        """A safe point moved to before the blanks in front of it: they belong to what they lead to."""
        if final and self._verdict is None:
            return safe
        at = min(safe - self._base, len(self._text))    # what is not placed yet is blanks and backticks
        if at <= 0:
            return min(safe, self._base)
        if not self._text[at - 1].isspace():
            return self._base + at
        first = max(at - _KEEP // 2, 0)
        return self._base + first + len(self._text[first:at].rstrip())

    def _held(self) -> int:
        safe = self._size if self._lead < 0 else self._lead
        for unit in self._units:
            safe = min(safe, unit.place.start)
        return safe

    def _forget(self) -> None:
        """Lets go of what nobody looks at any more."""
        cut = min(self._held(), self._point) - self._base - _KEEP
        if cut > _LONG // 2:
            self._head += self._text[: max(min(cut, _HEAD - self._base), 0)]
            self._text, self._base = self._text[cut:], self._base + cut

    def _apart(self, where: Where, at: int, stretch: str) -> None:
        """A stretch that is no prose."""
        if where is _MARGIN:
            self._quoted = ">" in stretch
        elif where is _BREAK:
            if self._fresh and not self._units and self._point == at:
                self._lead = -1                         # a blank line
            else:
                self._prose(final=True)
            if self._verdict is None:
                self._line_ends(at)
            if len(self._text) > _LONG:
                self._forget()
        elif where is Where.FENCE or (where is Where.CLOSED and stretch[:3] in ("```", "~~~")):
            self._units = []
            self._fresh = True
        else:
            self._fresh = False
        self._point = at + len(stretch)

    def _line_ends(self, at: int, *, over: bool = False) -> None:
        """The end of a line of text ends its sentences, and a quotation that is still open was none."""
        if self._opened:
            if self._opened in _SINGLES and self._text[: at - self._base][-1:] in self._opened:
                self._closed(at)
            self._opened = ""
        for unit in self._units:
            unit.opened = False
        self._ended(at, at + 1, over=over)
        self._fresh, self._quoted, self._lead = True, False, -1
        if self._led >= 0:
            self._leads_on(at)

    def _leads_on(self, at: int) -> None:
        """Whether the colon of a line leads to the next one, too."""
        line = self._text[max(at - self._base - _KEEP, 0) : at - self._base].rpartition("\n")[2].rstrip("*_ \t\r")
        if line:                                        # a blank line parts nothing
            self._items = line[-1] not in ":："

    def _item(self, start: int) -> None:
        """A line of text begins behind one that a colon led to: it goes on with it as an item only."""
        self._items = False
        lead = self._text[max(start - _KEEP, 0) : start].rpartition("\n")[2]
        self._led = self._base + start if _ITEM.search(lead) else -1
        self._intro = ""

    # --- within a line

    def _prose(self, *, final: bool = False) -> None:
        base, text, seams = self._base, self._text, self._seams
        at, passed = self._point - base, -1
        self._lead = -1
        while self._verdict is None:
            if self._fresh:
                lead = _LEAD.match(text, at)
                at = lead.end() if lead else at
                bracket = at > 0 and text[at - 1] in "[(（【"
                if at == len(text):
                    self._lead = base + at - 1 if bracket and not final else -1
                    break
                self._fresh = False
                if self._items:
                    self._item(at)
                char = text[at]
                if char not in _QUOTES and char not in self._opened:
                    self._open(base + at - bracket, seam=False)
                    at += char not in _ENDS
                    continue
            if (_LOWER if seams else _EVEN).fullmatch(text, at) and text[at - 1 : at] not in _BEFORE_POINTS:
                at = len(text)                          # nearly always: the middle of a sentence
                break
            found = (_POINT if seams else _SEAMLESS).search(text, at) if at < len(text) else None
            if found and found.end() == passed:         # what stands between two characters is passed once
                found = (_MARK if seams else _SEAMLESS_MARK).search(text, at)
            if found is None:
                at = len(text)
                if seams and not final and (text[-1:] == "[" or (text[-1:].isupper() and _CUT_OFF.match(text[-2:]))):
                    # a mark or the beginning of a sentence, of a word or not: the next one says
                    at -= 1
                    self._lead = base + at
                break
            opened = self._opened
            at = self._at(found, text, base)
            passed = found.end() if not found.group() and self._opened == opened else -1
        self._point = base + at
        if self._verdict is None and self._units:
            self._weigh(len(text), final=final)

    def _at(self, found: re.Match[str], text: str, base: int) -> int:
        """Acts on a point, and returns where to look on."""
        at, mark = found.start(), found.group()
        if mark and mark in self._opened and self._opened not in _SINGLES:
            self._closed(base + at)
        elif mark in _QUOTES:
            if not self._opened:
                self._opened = _QUOTES[mark]
                self._fresh = True
        elif mark in ("：", "；"):
            self._fresh = True
            if mark == "：":
                self._leads(text, base + at)
        elif mark in _ENDS or not mark:
            if not mark and self._opened in _SINGLES and text[at - 1] in self._opened:
                self._closed(base + at)
                return at + (text[at - 2 : at - 1] not in ".!?…:;")
            ended = mark or text[max(at - 4, 0) : at].rstrip("\"'”’)]*_")[-1:]
            if ended == ":":
                self._leads(text, base + at)
            elif mark or ended in (".", "!", "?", "…"):
                self._ended(base + found.end(), base + found.start() + 1)
            self._fresh = True
            return found.end()
        else:
            self._open(base + at, seam=True)
            if len(self._units) > 48:
                self._weigh(at + 1, final=False)
        return at + 1

    def _leads(self, text: str, at: int) -> None:
        """A colon ends there."""
        self._led, index = at, at - self._base
        self._intro = text[max(index - _KEEP + 2, 0) : index]

    def _open(self, start: int, *, seam: bool) -> None:
        if self._first < 0:
            self._first = start
        if self._opened and not self._in_quotes:
            return
        at, may_begin = start - self._base, self._judge.may_begin
        begun = self._text[at : at + 3]
        if not begun.isalpha():
            begun = begun[:2]
        if begun.isalpha() and not (
            may_begin(begun, _SOME_SEAM) or may_begin(begun, _SOME_ASIDE) if seam else may_begin(begun, _SOME_START)
        ):
            return                                      # as nearly always: no word of interest begins like this
        if (self._until is None or start <= self._until) and not (
            self._units and self._units[-1].place.start == start
        ):
            glued, switched, aside = False, False, False
            if seam:
                last = self._text[max(at - 4, 0) : at].rstrip()[-1:]
                glued = self._text[max(at - 1, 0) : at].isalnum()
                switched = last.isalpha() and _script(last) != _script(self._text[at])
                before = self._text[max(at - 1, 0) : at]
                aside = before in (",", "，", "、") or (self._text[at] in _ONLY_ASIDE and not switched)
                if aside and len(begun) > 1 and not self._judge.may_begin(begun, _SOME_ASIDE):
                    return
            # what a service pasted in has nothing to do with the colon, and does not stand that near to it
            led = self._led >= 0 and not (seam and start - self._led > _NEAR)
            place = Place(start, self._before, seam, glued, switched, aside=aside, led=led)
            gate = WIDE_GATE if "\u3040" <= self._text[at] <= "\u9fff" else GATE
            self._units.append(_Unit(place, bool(self._opened), gate, self._intro if led else ""))

    def _closed(self, at: int) -> None:
        """A quotation ends: what it said was said by somebody else."""
        self._opened = ""
        units, self._units = self._units, []
        for unit in units:
            if not unit.opened:
                self._units.append(unit)
            elif self._overdue(unit, at):
                return

    def _overdue(self, unit: _Unit, end: int) -> bool:
        """Judges a unit that has gone on for too long to be waited for; True: and the answer ends here."""
        start = unit.place.start
        limit = _MAX_QUOTE if unit.opened else MAX_HELD
        if end - start <= limit:
            return False
        held = start + MAX_HELD
        return self._looks(unit, held) and self._judged(unit, held, start + limit + 1, last=True, over=False)

    def _weigh(self, upto: int, *, final: bool) -> None:
        """What has been seen of each unit by now lets most of them go."""
        kept: list[_Unit] = []
        for unit in self._units:
            start = unit.place.start
            begin = start - self._base
            size = upto - begin
            if not unit.suspected:
                if not unit.wanted:
                    begun = self._text[begin : begin + unit.gate if size > unit.gate else upto]
                    words = self._words(begun, unit.place, whole=final or size >= unit.gate)
                    if words is None:
                        kept.append(unit)
                        continue
                    if not words[0] or not self._judge.wants(words[0], words[1], unit.place):
                        continue
                    unit.wanted = True
                if size >= unit.gate:
                    if not self._judge.suspects(self._said(start, start + unit.gate), unit.place):
                        continue
                    unit.suspected = True
            if size > (_MAX_QUOTE if unit.opened else MAX_HELD):
                if self._overdue(unit, self._base + upto):
                    return
                continue
            kept.append(unit)
        self._units = kept

    def _words(self, text: str, place: Place, *, whole: bool) -> tuple[str, str] | None:
        """The first two words, or one of ideographs; None: more must come first."""
        lead = None
        first = _WORD.match(text)       # nearly always
        if first is None:
            lead = _LEAD.match(text)
            first = _WORD.match(text, lead.end() if lead else 0)
        if first is None:
            return ("", "") if whole or (lead and lead.end() < len(text)) else None
        word, after = first.group(), first.end()
        if not whole and after >= len(text) - 1:
            return None if self._judge.may_begin(word, place) else ("", "")
        if "\u3040" <= word[0] <= "\u9fff":
            return word, ""
        second = _WORD.search(text, after, after + 24)
        if second is None or second.start() > after + 3:
            return (word, "") if whole or len(text) > after + 3 else None
        if not whole and second.end() >= len(text) - 1:
            return None if self._judge.may_begin(word, place) else ("", "")
        return word, second.group()

    def _answer(self, end: int) -> str:
        """All up to there, but for the middle of a long answer."""
        return self._head + self._text[: end - self._base]

    def _said(self, start: int, end: int) -> str:
        return _ELSEWHERE.sub('""', self._text[start - self._base : end - self._base])

    # --- ends

    def _looks(self, unit: _Unit, end: int) -> bool:
        """Whether a unit that ends there is one to judge, by its beginning."""
        start = unit.place.start
        gate = min(start + unit.gate, end)
        if not unit.wanted:
            words = self._words(self._text[start - self._base : gate - self._base], unit.place, whole=True)
            unit.wanted = bool(words and words[0]) and words is not None and self._judge.wants(*words, unit.place)
        if unit.wanted and not unit.suspected:
            unit.suspected = self._judge.suspects(self._said(start, gate), unit.place)
        return unit.suspected

    def _ended(self, end: int, by: int, *, over: bool = False) -> None:
        """A sentence ends at ``end``, as was known ``by`` so many characters: every unit that is still alive is"
        " judged, the earliest first."""
        if not self._units:
            self._before += 1
            return
        units, self._units = self._units, []
        for unit in units:
            if self._opened and not unit.opened:            # it ends within what the unit quotes
                self._units.append(unit)
            elif self._overdue(unit, end):
                return
            elif end - unit.place.start > (_MAX_QUOTE if unit.opened else MAX_HELD) or not self._looks(unit, end):
                continue
            elif unit.opened or (unit.judged >= 0 and not over and not self._said_more(unit, end)):
                self._units.append(unit)                    # the quotation decides, or nothing new was said
            elif self._judged(unit, end, by, last=over or unit.judged >= 0, over=over):
                return
        self._before += 1

    def _said_more(self, unit: _Unit, end: int) -> bool:
        return _WORD.search(self._text, unit.judged - self._base, end - self._base) is not None

    def _judged(self, unit: _Unit, end: int, by: int, *, last: bool, over: bool) -> bool:
        place = unit.place
        if unit.intro:
            place = place._replace(told=_TOLD.search(unit.intro) is not None)
        elif place.seam and not place.glued:
            at = place.start - self._base
            place = place._replace(told=_SAYING.search(self._text[max(at - 24, 0) : at]) is not None)
        if over and place.start <= self._first:
            place = place._replace(alone=True)
        verdict = self._judge.judge(self._said(place.start, end), place, lambda: self._answer(end), last=last)
        if verdict is MORE:
            unit.judged = end
            self._units.append(unit)
            return False
        if not isinstance(verdict, Refuse | Reroute):
            return False
        self._verdict, self.by = verdict, by
        self._units = [unit]
        return True


def _script(letter: str) -> int:
    """Latin, Cyrillic, or wide."""
    return 2 if _wide(letter) else int("\u0400" <= letter <= "\u04ff")


def _wide(word: str) -> bool:
    return "\u3040" <= word[:1] <= "\u9fff"
