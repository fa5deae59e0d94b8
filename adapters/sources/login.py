"""Is this a page, or where one logs in? Told by what such pages have in common, whoever made them.

A field for a password is one sign; where somebody else vouches for people there is none. Then it is a button "Sign in
with ...", a form that asks for an address and nothing else, one that hands a request to whoever vouches, or a script
that leads there. Any of these stands on real pages, too: so no sign tells alone. The page has few words, and it is
called after what it is, or has hardly any; and `adapters.sources.site` looks at what other pages show.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

FEW: Final = 150                # words, that such a page may have; there may be a warning, too
SPARSE: Final = 40              # and one that is not called after it
ALIKE: Final = 0.8              # of their words, in which two such pages agree: some name the page that was asked for
LOOKED: Final = 400_000         # bytes of a page that are looked into

PATH: Final = re.compile(
    r"(?:^|[/._-])(?:log[_-]?[io]n|sign[_-]?[io]n|sso|saml2?|oauth2?|openid)(?:$|[/._-])", re.IGNORECASE)
"""In the path of an address that is called after logging in."""
_HOST: Final = re.compile(
    r"(?:log-?in|sign-?in|sso|auth|idp|accounts?|identity|oauth2?|saml|adfs|cas)\d?\.", re.IGNORECASE)
PASSWORD: Final = re.compile(rb"<input\b[^<>]*\btype\s*=\s*[\"']?password\b", re.IGNORECASE)
_TO: Final = re.compile(rb"\b(?:href|action)\s*=\s*[\"']?([^\"'<>\s]{1,2000})", re.IGNORECASE)
_SCRIPTED: Final = re.compile(
    rb"\blocation(?:\.href)?\s{0,9}=\s{0,9}[\"'`]([^\"'`<>\s]{1,2000})"
    rb"|\blocation\.(?:replace|assign)\(\s{0,9}[\"'`]([^\"'`<>\s]{1,2000})")
_INPUT: Final = re.compile(rb"<input\b([^<>]*)", re.IGNORECASE)
_OTHER_FIELD: Final = re.compile(rb"<(?:textarea|select)\b", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    rb"\b(type|name|id|autocomplete|value|action)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]+))", re.IGNORECASE)
_TAG: Final = re.compile(rb"<[^<>]*>")
_WRITTEN: Final = frozenset({"", "text", "email", "tel"})
_PRESSED: Final = frozenset({"submit", "button"})
_WHO: Final = re.compile(r"e-?mail|user|log-?in|identifier|account|upn", re.IGNORECASE)
_HANDED: Final = frozenset({"samlrequest", "wtrealm", "wctx"})
_BETWEEN: Final = re.compile(r"\s[|·•–—-]\s")
_IN: Final = r"(?:sign|log)[ -]?[io]n"
_CALLED: Final = re.compile(
    rf"(?:please |you (?:must|need to|have to) )?{_IN}(?: (?:to|with|using|via|through) .{{1,60}})?(?: to continue)?"
    rf"|(?:{_IN}|authentication) required|single sign[ -]?on(?: .{{1,20}})?|sso"
    r"|(?:bitte )?(?:anmelden|einloggen|anmeldung)|(?:bitte )?melden sie sich .{0,30}an"
    r"|(?:se )?connecter|connexion|connectez-vous.{0,40}|(?:iniciar|inicie|inicio de) sesi[oó]n.{0,40}"
    r"|.{0,20}(?:登录|登入|登錄)|.{0,20}(?:ログイン|サインイン)", re.IGNORECASE)
_BY: Final = re.compile(
    rf"(?:{_IN}|continue|go on) (?:with|using|via|through) .{{1,40}}|(?:company |use )?(?:single sign[ -]?on|sso)"
    rf"|(?:{_IN} )?(?:single sign[ -]?on|sso)(?: {_IN})?|(?:e-?mail|send) me an? .{{0,20}}(?:link|code)"
    r"|mit .{1,40} (?:anmelden|einloggen|fortfahren)|(?:se connecter|continuer) avec .{1,40}"
    r"|(?:iniciar sesi[oó]n|continuar|acceder) con .{1,40}|使用.{1,20}(?:登录|登入)|.{1,20}で(?:ログイン|サインイン)",
    re.IGNORECASE)


class Shown(NamedTuple):
    """What tells a page from one where one logs in. ``words``: each once."""

    text: str
    words: frozenset[str]
    password: bool              # it has a field for one
    door: bool                  # or another way in
    sure: bool                  # it asks who one is, unless other pages have the same on them
    suspect: bool               # it may be no page, but where one logs in

    @property
    def kind(self) -> tuple[bool, bool, bool]:
        """By which signs it is suspect."""
        return self.password, self.door, self.sure

    def stands_out(self, others: Sequence[Shown]) -> bool:
        """Whether one logs in here, instead of reading, when other pages of the site show these.

        A way in tells little, as some sites have one on each page, and so does that there are few words.
        """
        same = sum(map(self.like, others))
        if not self.sure:
            return same > max(1, len(others) / 2)
        return same > 0 or not any(each.password if self.password else each.door for each in others)

    def like(self, other: Shown) -> bool:
        """Whether two addresses show the same. Where neither asks who one is for sure it has to be every word of it."""
        if not (self.sure and other.sure):
            return self.text == other.text
        return len(self.words & other.words) >= ALIKE * len(self.words | other.words)


class _Element(NamedTuple):
    """``begin`` and ``end``: where its two tags stand; ``head``: the first of them."""

    begin: int
    end: int
    head: bytes
    inside: bytes


def few(text: str) -> bool:
    """Whether it has so few words that there may be nothing to read."""
    return len(text.split(maxsplit=FEW)) <= FEW


def shown(raw: bytes, text: str, address: str) -> Shown:
    """``raw``: the HTML as it came from that address; ``text``: what was read of it."""
    raw = raw[:LOOKED]
    low = raw.lower()           # of bytes: only ASCII, and no longer
    words = text.casefold().split()
    password, called = PASSWORD.search(raw) is not None, _called(raw, low)
    pressed, linked = _pressed(raw, low), [*_alone(raw, low)]
    vouched = any(map(_BY.fullmatch, (*pressed, *linked)))
    sure = (password or leads_away(raw, address) or _asks_for_who(raw, low, called=called)
            or (called and (vouched or any(map(_CALLED.fullmatch, pressed)))))
    leads = any(PATH.search(_path(to[1])) for to in _TO.finditer(raw))
    suspect = password or leads or (sure and called) or ((sure or vouched) and len(words) <= SPARSE)
    return Shown(text, frozenset(words), password, sure or vouched, sure, suspect and few(text))


def asks_who(address: str, place: str) -> bool:
    """Whether a page leads to a place that is called after logging in, or is told where one came from."""
    page, end = urlsplit(address), urlsplit(place)
    named = PATH.search(end.path) is not None and PATH.search(page.path) is None
    hosted = end.netloc != page.netloc and _HOST.match(end.netloc) is not None
    way = page.path.rstrip("/")
    return named or hosted or (bool(way) and any(way in said for _, said in parse_qsl(end.query)))


def leads_away(raw: bytes, address: str) -> bool:
    """Whether a script on it leads to where one logs in, or a form hands on that somebody wants to."""
    raw = raw[:LOOKED]
    scripts = _elements(raw, raw.lower(), b"script")
    led = (found[1] or found[2] for each in scripts for found in _SCRIPTED.finditer(each.inside))
    return any(_leads(address, to) for to in led) or any(
        said.get("name", "").lower() in _HANDED for said in _inputs(raw))


def _pressed(raw: bytes, low: bytes) -> list[str]:
    """What stands on its buttons."""
    return [*(_plain(each.inside) for each in _elements(raw, low, b"button")),
            *(said.get("value", "") for said in _inputs(raw) if said.get("type") in _PRESSED)]


def _asks_for_who(raw: bytes, low: bytes, *, called: bool) -> bool:
    """Whether a form has a field for an address or a name of one's own, and none for anything else."""
    forms = [*_elements(raw, low, b"form")] or [_Element(0, len(raw), b"", raw)]
    return any(_is_for_who(each, called=called) for each in forms)


def _is_for_who(form: _Element, *, called: bool) -> bool:
    fields = [said for said in _inputs(form.inside) if said.get("type", "") in _WRITTEN]
    if len(fields) != 1 or _OTHER_FIELD.search(form.inside):
        return False
    if not any(_WHO.search(fields[0].get(key, "")) for key in ("type", "name", "id", "autocomplete")):
        return False
    pressed = _pressed(form.inside, form.inside.lower())
    return (called or PATH.search(_path(_attributes(form.head).get("action", "").encode())) is not None
            or any(_CALLED.fullmatch(words) or _BY.fullmatch(words) for words in pressed))


def _leads(address: str, to: bytes) -> bool:
    try:
        return asks_who(address, urljoin(address, to.decode("utf-8", "replace")))
    except ValueError:
        return False


def _called(raw: bytes, low: bytes) -> bool:
    """Whether its title or its first heading says that one logs in here."""
    named = (next(_elements(raw, low, tag), None) for tag in (b"title", b"h1"))
    parts = (part for each in named if each for part in _BETWEEN.split(_plain(each.inside)))
    return any(_CALLED.fullmatch(part.strip(" .:!")) for part in parts)


def _alone(raw: bytes, low: bytes) -> Iterator[str]:
    """The words of links that stand in no sentence."""
    for each in _elements(raw, low, b"a"):
        before = raw[raw.rfind(b">", 0, each.begin) + 1 : each.begin]
        closed = raw.find(b">", each.end) + 1
        behind = raw[closed : max(closed, raw.find(b"<", closed))]
        if not before.strip() and not behind.strip():
            yield _plain(each.inside)


def _elements(raw: bytes, low: bytes, tag: bytes) -> Iterator[_Element]:
    """Each such element that is closed. ``low``: the same in small letters. No byte is looked at many times."""
    at = 0
    while (begin := low.find(b"<" + tag, at)) >= 0:
        at = begin + 1
        if low[at + len(tag) : at + len(tag) + 1].strip(b" \t\r\n/>"):
            continue                # the name of another one goes on
        head = low.find(b">", at)
        end = low.find(b"</" + tag, head)
        if head < 0 or end < 0:
            return
        yield _Element(begin, end, raw[begin:head], raw[head + 1 : end])
        at = end


def _inputs(raw: bytes) -> Iterator[dict[str, str]]:
    return (_attributes(found[1]) for found in _INPUT.finditer(raw))


def _attributes(head: bytes) -> dict[str, str]:
    said = {found[1].decode().lower(): (found[2] or found[3] or found[4] or b"").decode("utf-8", "replace").strip()
            for found in _ATTRIBUTE.finditer(head)}
    return said | ({"type": said["type"].lower()} if "type" in said else {})


def _plain(inside: bytes) -> str:
    return " ".join(html.unescape(_TAG.sub(b" ", inside).decode("utf-8", "replace")).split())


def _path(to: bytes) -> str:
    try:
        return urlsplit(to.decode("utf-8", "replace")).path
    except ValueError:
        return ""
