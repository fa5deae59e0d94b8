"""Links and pictures that could carry data out: an address is as good as a message to whoever owns its host.

A link stays if its host is that of a passage that the model was given, or on the list; every other is turned
into plain text that shows the host alone, for what follows it (path, query, fragment) is where data would
travel. Pictures are fetched without anybody's click, so none stays. Code is left alone: nobody follows it; but it must
be closed, and backticks within an address make none.

Only the address is held back and edited, never the words of a link; so it does not matter what these contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from engine.guards.leaves import LeafReadingGuard
from engine.guards.markup import Where
from engine.guards.page import Detector, Page
from engine.messages import Found
from engine.ports import Edit

_PROSE: Final = Where.PROSE
_BREAK: Final = Where.BREAK
_MARGIN: Final = Where.MARGIN
_CLOSED: Final = Where.CLOSED
_SPAN: Final = Where.SPAN
_SCHEME: Final = r"(?:https?|ftp|wss?|file|slack|discord|tel|sms)://?|www\."
_URL: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{_SCHEME})[^\s<>\"'`()\[\]】）」』，。；、|\\{{}}]+", re.IGNORECASE)
_URL_BEGUN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:h|ht|htt|https?:?/?|f|ft|ftp:?/?|w|ww|www|wss?:?/?|fi|fil|file:?/?|s|sl|sla|slac|slack:?/?"
    r"|d|di|dis|disc"
    r"|disco|discor|discord:?/?|t|te|tel:?/?|sm|sms:?/?)\Z", re.IGNORECASE,
)
_OF_SCHEMES: Final = frozenset("acdefhiklmoprstwACDEFHIKLMOPRSTW:/\u017f\u212a")
"""What an address that has begun may end with; two of them are other letters, of which these are the capitals."""
_BEGINNINGS: Final = frozenset(
    scheme[:size] for scheme in ("https", "ftp", "wss", "www", "file", "slack", "discord", "tel", "sms")
    for size in range(1, len(scheme) + 1)
)
_TARGET: Final = re.compile(r"\]\([ \t]*<?(?P<to>(?:\\."
    r"|[^\s()<>\\]|\((?:\\.|[^\s()<>\\])*\))*)>?(?:[ \t]+[\"'(][^\"')\n]*[\"')])?[ \t]*\)")
_TARGET_LONG: Final = re.compile(r"\]\([ \t]*<?(?:\\."
    r"|[^\s()<>\\]|\((?:\\.|[^\s()<>\\])*\))*(?:\((?:\\.|[^\s()<>\\])*)?\\?"
    r">?[ \t]*(?:(?<=[ \t])[\"'(][^\"')\n]*[\"')]?[ \t]*)?")
"""The beginning of one, if nothing in it says that it is none."""
_TARGET_REST: Final = re.compile(r"[^\s)]*\)?")
_URL_REST: Final = re.compile(r"[^\s<>\"'`()\[\]】）」』，。；、|\\{}]*")
_TARGET_BEGUN: Final = re.compile(r"\]\([^\n]*\Z|\]\Z")
_NEXT: Final = re.compile(rf"[\[\]]|(?<![A-Za-z0-9])(?:{_SCHEME})", re.IGNORECASE)
_ANY: Final = re.compile(r"[\[\]:]|[wW]\.")
"""Where there is none of these, no link ends, nor the beginning of an address."""
_IN_CODE: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{_SCHEME})|\]\(", re.IGNORECASE)
_CODE_BEGUN: Final = re.compile(rf"{_URL_BEGUN.pattern}|\]\Z", re.IGNORECASE)
_SCHEME_ONLY: Final = re.compile(_SCHEME, re.IGNORECASE)
_TRAILING: Final = ".,;:!?*_~…"
_SECOND: Final = re.compile(r"[a-z]{2,8}://", re.IGNORECASE)
_MAX_HELD: Final = 2048
"""Characters of an address that are read. Of a longer one none stays, wherever it leads."""
_MAX_DEPTH: Final = 32


class LinkGuard(LeafReadingGuard):
    """Outbound: keeps the links that lead where we were, and turns all others into plain text."""

    name = "links"
    version = "1"

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        """``allowed``: host names; one that begins with a dot stands for everything below it."""
        self._allowed = frozenset(host.casefold() for host in allowed)

    def detector(self, question: str, found: Found, flags: tuple[str, ...] = ()) -> Detector:  # noqa: ARG002
        """For one answer, with the hosts of its passages."""
        hosts = self._allowed | {_host(passage.url) for passage in found.passages} - {""}

        def opened() -> LinkReader:
            return LinkReader(hosts)

        return Detector(opened)


class LinkReader:
    """A `Reader` of one text."""

    __slots__ = (
        "_at", "_before", "_brackets", "_code", "_code_at", "_held", "_hosts", "_inside", "_inside_begun", "_plain",
        "_rest",
    )

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._held = ""             # prose that is not settled
        self._at = 0
        self._before = ""           # the character before it
        self._plain = False         # nothing on this line is code
        self._code = ""             # of a span that is not closed, from _code_at on
        self._code_at = 0
        self._inside = -1           # where an address begins in it
        self._inside_begun = False  # or perhaps begins
        self._brackets: list[bool] = []     # those that are open; True: of a picture
        self._rest: re.Pattern[str] | None = None   # what still belongs to an address that was too long

    def read(self, page: Page) -> int:
        """The next piece."""
        nothing = not (self._held or self._rest or page.final or self._inside >= 0 or _ANY.search(page.text))
        for where, at, stretch in page.stretches:
            if nothing and where is _PROSE:            # nearly always; but a link may begin at its end
                if self._held:                              # a margin
                    self._before = self._held[-1]
                self._at = at
                self._begins(stretch, 0)
            elif nothing and where is _BREAK and self._inside < 0:
                self._held = self._before = self._code = ""
                self._brackets, self._plain = [], False
            else:
                self._stretch(page, where, at, stretch)
        if page.final:
            self._settle(page, final=True)
            self._unclosed(page)
        if self._inside >= 0:
            return self._code_at + self._inside
        return self._at if self._held else page.placed

    def _stretch(self, page: Page, where: Where, at: int, stretch: str) -> None:
        code = where is _SPAN or where is _CLOSED
        if code and (self._plain or self._held.startswith("](")):
            self._plain = True          # within an address backticks are letters, and then nothing here is code
        if where is _PROSE or where is _MARGIN or (code and self._plain):
            self._prose(page, at, stretch, wait=where is _MARGIN)
            return
        self._settle(page, final=True)
        self._before = ""
        if where is _SPAN:
            self._span(page, at, stretch)
        elif where is _CLOSED:
            self._code, self._inside = "", -1
        elif where is _BREAK:
            self._unclosed(page)
            self._brackets, self._plain = [], False

    def _prose(self, page: Page, at: int, stretch: str, *, wait: bool = False) -> None:
        if not self._held:
            self._at = at
        self._held += stretch
        if not wait:
            self._settle(page)

    def _span(self, page: Page, at: int, stretch: str) -> None:
        """What looks like code is held from an address on: a backtick that none follows on its line is no code."""
        if not self._code:
            self._code_at = at
        self._code += stretch
        if self._inside < 0 or self._inside_begun:
            found = _IN_CODE.search(self._code, max(self._inside, 0))
            begun = None if found else _CODE_BEGUN.search(self._code, max(len(self._code) - 10, 0))
            first = found or begun
            self._inside, self._inside_begun = first.start() if first else -1, begun is not None
        if self._inside < 0 and len(self._code) > 2 * _MAX_DEPTH:
            self._code_at += len(self._code) - _MAX_DEPTH
            self._code = self._code[-_MAX_DEPTH:]
        elif self._inside >= 0 and len(self._code) - self._inside > _MAX_HELD:
            self._plain = True
            self._unclosed(page, final=False)

    def _unclosed(self, page: Page, *, final: bool = True) -> None:
        """It was no code."""
        if self._inside >= 0:
            text, at = self._code[self._inside :], self._code_at + self._inside
            self._before = self._code[self._inside - 1 : self._inside]
            self._code, self._inside = "", -1
            self._prose(page, at, text, wait=True)
            self._settle(page, final=final)
        self._code = ""

    def _settle(self, page: Page, *, final: bool = False) -> None:
        text = self._held
        at, keep = self._swallowed(text, 0, page), len(text)
        while at < len(text):
            found = _NEXT.search(text, at)
            if found is None:
                break
            start, mark = found.start(), found.group()
            before = text[start - 1] if start else self._before
            if mark == "[":
                self._brackets = [*self._brackets[-_MAX_DEPTH:], before == "!"]
                at = start + 1
            elif mark == "]":
                end = self._target(text, start, page, final)
                if end < 0:
                    keep = start
                    break
                at = end
            elif before.isalnum() and before.isascii():
                at = start + 1
            else:
                end = self._address(text, start, page, final)
                if end < 0:
                    keep = start
                    break
                at = end
        if keep == len(text) and not final:
            self._begins(text, at)
        else:
            self._kept(text, keep)
        if final:
            self._rest = None

    def _begins(self, text: str, at: int) -> None:
        """Holds what may be the beginning of an address at the end of the text."""
        word = text.rpartition(" ")[2]
        if text[-1:] in _OF_SCHEMES and (not word.isalpha() or not word.isascii() or word.lower() in _BEGINNINGS):
            begun = _URL_BEGUN.search(text, max(at, len(text) - 10))
            if begun and (begun.start() or not (self._before.isalnum() and self._before.isascii())):
                self._kept(text, begun.start())
                return
        if text:
            self._before, self._held = text[-1], ""

    def _kept(self, text: str, keep: int) -> None:
        self._before = text[keep - 1 : keep] or self._before
        self._held, self._at = text[keep:], self._at + keep

    def _swallowed(self, text: str, at: int, page: Page) -> int:
        """Behind the rest of an address that was too long; nothing of it is shown."""
        rest = self._rest.match(text, at) if self._rest else None
        if rest is None:
            return at
        if rest.group():
            page.edit(Edit(self._at + at, self._at + rest.end(), "", "link"))
        if rest.end() < len(text) or rest.group().endswith(")"):
            self._rest = None
        return rest.end()

    def _target(self, text: str, start: int, page: Page, final: bool) -> int:
        """Behind the words of a link; returns where to go on, or -1 to wait."""
        limit = start + _MAX_HELD
        target = _TARGET.match(text, start, limit)
        if target is None and not final and len(text) < limit and _TARGET_BEGUN.match(text, start):
            return -1
        picture = self._brackets.pop() if self._brackets else False
        if target is None:
            if len(text) < limit or not _TARGET_LONG.fullmatch(text, start, limit):
                return start + 1
            page.edit(Edit(self._at + start, self._at + limit, "]", "picture" if picture else "link"))
            self._rest = _TARGET_REST
            return self._swallowed(text, limit, page)
        to = target["to"]
        if picture or not self._stays(to):
            rule = "picture" if picture else "link"
            page.edit(Edit(self._at + start, self._at + target.end(), _instead("]", to), rule))
        return target.end()

    def _address(self, text: str, start: int, page: Page, final: bool) -> int:
        """An address as it stands."""
        url = _URL.match(text, start, start + _MAX_HELD)
        if url is None:
            return -1 if not final and _SCHEME_ONLY.fullmatch(text, start) else start + 1
        if len(url.group()) == _MAX_HELD:
            page.edit(Edit(self._at + start, self._at + url.end(), _named(url.group()), "link"))
            self._rest = _URL_REST
            return self._swallowed(text, url.end(), page)
        if url.end() == len(text) and not final:
            return -1
        to = url.group().rstrip(_TRAILING)
        if not self._stays(to):
            page.edit(Edit(self._at + start, self._at + start + len(to), _named(to), "link"))
        return url.end()

    def _stays(self, to: str) -> bool:
        if to.startswith(("#", "/", "./", "../")) and not to.startswith("//"):
            return True
        if ":" not in to and not to.startswith("//") and "." not in to.partition("/")[0]:
            return True                 # within the document: a page name, no host
        host = _host(to)
        if _SECOND.search(to, to.find("://") + 3):
            return False                # an address within an address: who follows one may end up at the other
        return bool(host) and (host in self._hosts or any(
            allowed.startswith(".") and host.endswith(allowed) for allowed in self._hosts
        ))


def _host(url: str) -> str:
    """The host of a web address that hides nothing; else nothing."""
    if url.lower().startswith("www."):
        url = f"https://{url}"
    elif url.startswith("//"):
        url = f"https:{url}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or "\\" in url or "%" in parts.netloc:
        return ""
    return host.casefold()


_NAME: Final = re.compile(r"(?:[a-z][a-z0-9+.\-]*:)?/*(?:[^/?#@\s]*@)?([^/?#:\s\\]{1,80})", re.IGNORECASE)


def _named(to: str) -> str:
    """The host, as plain text."""
    name = _NAME.match(to)
    return name.group(1) if name else "[address removed]"


def _instead(bracket: str, to: str) -> str:
    host = _host(to)
    return f"{bracket} ({host})" if host else bracket
