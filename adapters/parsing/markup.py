"""An HTML page as Markdown: headings, lists, tables and code as they stand, without what only leads through the site.

What is navigation is told by elements and roles, then by the names that sites give it, then, where nothing says which
part is the page, by links that stand alone above the first heading or at the end. A name alone never takes away what
is most of a page. Runs in `adapters.parsing.child` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS: Final = HEADINGS | frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "legend", "li",
    "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "ul",
})
DEAD: Final = frozenset({
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio",
    "video", "head", "link", "meta", "button", "input", "select", "textarea", "option", "datalist", "dialog", "map",
    "nav",
})
ROLES: Final = frozenset({
    "navigation", "search", "contentinfo", "menu", "menubar", "toolbar", "tablist", "dialog", "alertdialog",
    "doc-toc", "doc-backlink", "doc-pagelist",
})
NAMES: Final = frozenset({
    "nav", "navbar", "navigation", "navheader", "navfooter", "sidebar", "sphinxsidebar", "breadcrumb",
    "breadcrumbs", "menu", "toc", "tocs", "contents", "footer", "cookie", "cookies", "pagination", "pager",
    "headerlink", "permalink", "editsection", "backlink", "catlinks", "printfooter", "noprint", "sitenotice",
    "jump", "skip", "related", "linenos", "lineno", "linenums", "gutter", "copybtn", "clipboard", "share", "social",
    "metadata", "tooltip", "prevnext", "searchbox", "topbar", "drawer", "skiplink", "skipnav", "offscreen",
})
INLINE: Final = frozenset({
    "headerlink", "permalink", "editsection", "backlink", "jump", "skip", "skiplink", "linenos", "lineno", "linenums",
    "noprint", "copybtn", "offscreen", "tooltip",
})
"""Those that a part of a line may have; in a sentence, "nav" is a word like others."""
PHRASES: Final = frozenset({"table of contents", "sr only", "visually hidden", "prev next", "site sub", "on this page"})
CONTENT: Final = (
    "//*[@id='main-content']", "//*[@id='mw-content-text']", "//main", "//*[@role='main']", "//article",
    "//*[contains(concat(' ', @class, ' '), ' markdown-body ')]",
)
"""Where a page says that it is; the innermost first, since what is around it has a site's own words."""
ENOUGH: Final = 0.25            # of a document's words, for the part that says it is the page
MOST: Final = 0.34              # of them, past which a name takes nothing away
LINKS: Final = 0.8              # of the words, for a part that is nothing but links
LONGEST: Final = 200            # characters of an anchor
PLAIN: Final = "!$&'*+,;=:@/?%"
"""What stands in an anchor as it is; brackets and the like would end the link that it is made a part of."""
SPAN: Final = 40                # columns or rows that one cell may fill

_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_BLANK: Final = re.compile(r"[ \t\r\n\f\xa0]+")
_LIKE_MARKUP: Final = re.compile(r"(^#{1,6} |^```|^~~~|^---+$|^===+$|^> |^[-+*] )|^(\d{1,9})([.)] )", re.MULTILINE)
_INVALID: Final = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What HTML may name by its number, and no tree takes."""
_PERMALINK: Final = re.compile(r"[\s\u00b6#\u00a7\uf0c1\U0001f517\u200b\u2060]*")
_LANGUAGE: Final = re.compile(
    r"(?:^|\s)(?:language|lang|highlight|mw-highlight-lang|brush:?)[- ]?\s*([\w+#.]{1,20})", re.IGNORECASE)
_DROPPED: Final = re.compile(r"[^\w\- ]")


class Block(NamedTuple):
    """A part of a page that stands alone. ``links``: nothing in it but links; ``level``: of a heading, else 0."""

    text: str
    links: bool = False
    level: int = 0


@dataclass(slots=True)
class Markup:
    """One document, as `lxml.html` parsed it; taken apart while it is read."""

    tree: Any
    anchors: dict[str, str] = field(default_factory=dict)
    _slugs: dict[str, int] = field(default_factory=dict)
    _ids: list[tuple[str, str]] = field(default_factory=list)       # words and id of each heading, in order

    def markdown(self) -> tuple[str, str]:
        """The page, and its title."""
        title = _line(next(iter(self.tree.xpath("//title")), None))
        first = next((_heading(node) for node in self.tree.xpath("//h1") if _heading(node)), "")
        first_id = next((_id(node) for node in self.tree.xpath("//h1") if _heading(node)), "")
        self._prune()
        root, certain = self._root()
        blocks = list(self._blocks(root))
        if not certain:
            blocks = _without_links_around(blocks)
        if named := root.get("id") == "main-content":   # of Confluence, which writes "Space : Page"
            title, first = (text.partition(" : ")[2] or text for text in (title, first))
        heads = [block.text.lstrip("# ") for block in blocks if block.level == 1]
        lacks = heads[:1] != [first or title] if named else not heads       # its title stands above the page itself
        if blocks and lacks and (first or title):
            blocks.insert(0, Block(f"# {first or title}", level=1))
            self._ids.insert(0, (first or title, first_id if first else ""))
        for words, anchor in self._ids:
            slug = _slug(words, self._slugs)
            if anchor and len(anchor) <= LONGEST and not re.search(r"\s", anchor):
                self.anchors[slug] = quote(anchor, safe=PLAIN)
        return _INVALID.sub("", "\n\n".join(block.text for block in blocks)), first or title

    # -- what is not the page --------------------------------------------------------------------------------------

    def _prune(self) -> None:
        total = max(1, _size(self.tree))
        doomed = []
        for node in self.tree.iter():
            if not isinstance(node.tag, str):
                continue
            if node.tag in DEAD or node.get("role") in ROLES or node.get("aria-hidden") == "true":
                doomed.append((node, False))
            elif node.tag in {"header", "footer", "aside"} or node.get("role") in {"banner", "complementary"}:
                if not _inside(node, {"article", "main", "blockquote"}):
                    doomed.append((node, node.tag != "footer"))
            elif node.tag == "sup" and "reference" in (node.get("class") or ""):
                doomed.append((node, False))
            elif node.tag not in HEADINGS | {"html", "body", "main", "article"} and _is_named(node):
                doomed.append((node, True))
        for node, only_small in doomed:
            if only_small and (_most(node, total) or node.xpath(".//h1|.//pre")):
                continue
            _drop(node)

    def _root(self) -> tuple[Any, bool]:
        """The element that is the page, and whether it says so itself."""
        body = next(iter(self.tree.xpath("//body")), self.tree)
        total = _size(body)
        for path in CONTENT:
            found = self.tree.xpath(path)
            if len(found) == 1 and (size := _size(found[0])) and size >= ENOUGH * total:
                return found[0], True
        return body, False

    # -- what is ---------------------------------------------------------------------------------------------------

    def _blocks(self, node: Any) -> Iterator[Block]:
        """Everything inside of an element, in order; loose text between its blocks is a paragraph."""
        loose: list[str] = [node.text or ""]
        linked = [0, 0]             # words in links, and words
        _count(linked, node.text)
        for child in node:
            if isinstance(child.tag, str):
                if _is_block(child):
                    yield from _paragraph(loose, linked)
                    yield from self._block(child)
                else:
                    loose.append(_inline(child))
                    _count(linked, child.text_content(), link=_is_link(child))
            loose.append(child.tail or "")
            _count(linked, child.tail)
        yield from _paragraph(loose, linked)

    def _block(self, node: Any) -> Iterator[Block]:
        tag = node.tag
        if tag in HEADINGS:
            if words := _heading(node):
                self._ids.append((words, _id(node)))
                yield Block(f"{'#' * int(tag[1])} {words}", level=int(tag[1]))
        elif tag == "pre":
            if code := _code(node):
                yield Block(code)
        elif tag in {"ul", "ol", "menu"}:
            if text := "\n".join(self._items(node)):
                yield Block(text, _share(node) >= LINKS)
        elif tag == "dl":
            yield from self._terms(node)
        elif tag == "table":
            yield from self._table(node)
        elif tag == "blockquote":
            yield from _quoted([block.text for block in self._plainly(node)])
        elif tag in {"summary", "legend", "caption", "dt"}:
            if words := _line(node):
                yield Block(f"**{words}**")
        elif tag != "hr":
            yield from self._blocks(node)

    def _plainly(self, node: Any) -> Iterator[Block]:
        """Blocks of something that has no sections: a heading in it is a line in bold."""
        before = len(self._ids)
        for block in self._blocks(node):
            yield Block(f"**{block.text.lstrip('# ')}**") if block.level else block
        del self._ids[before:]

    def _items(self, node: Any) -> Iterator[str]:
        start = node.get("start", "")
        number = int(start) if node.tag == "ol" and re.fullmatch(r"\d{1,6}", start) else 1
        for child in node:
            if not isinstance(child.tag, str):
                continue
            if child.tag in {"ul", "ol", "menu"}:       # not in an item, as it should be
                yield from (f"  {line}" for line in self._items(child))
                continue
            mark = f"{number}. " if node.tag == "ol" else "- "
            parts = [block.text for block in self._plainly(child)] if _is_block(child) else [_tidy(_inline(child))]
            whole = ""
            for part in filter(None, parts):
                tight = re.match(r"[-*] |\d+\. ", part)
                whole += ("\n" if tight else "\n\n") * bool(whole) + part
            if whole:
                yield mark + whole.replace("\n", "\n" + " " * len(mark)).replace("\n" + " " * len(mark) + "\n", "\n\n")
                number += 1

    def _terms(self, node: Any) -> Iterator[Block]:
        """Short explanations are items; long ones stand below their term."""
        terms: list[str] = []
        short: list[str] = []
        for child in node.iter("dt", "dd"):
            if next((up for up in child.iterancestors() if up.tag == "dl"), None) is not node:
                continue
            if child.tag == "dt":
                terms.append(_line(child))
                continue
            inner = list(self._plainly(child))
            head = ", ".join(filter(None, terms))
            terms.clear()
            if len(inner) == 1 and "\n" not in inner[0].text:
                short.append(f"- **{head}**: {inner[0].text}" if head else f"- {inner[0].text}")
                continue
            if short:
                yield Block("\n".join(short))
                short.clear()
            if head:
                yield Block(f"**{head}**")
            yield from inner
        short += [f"- **{term}**" for term in terms if term]
        if short:
            yield Block("\n".join(short))

    def _table(self, node: Any) -> Iterator[Block]:
        rows = [row for row in node.iter("tr") if next(row.iterancestors("table"), None) is node]
        if caption := _line(next(iter(node.xpath("./caption")), None)):
            yield Block(f"**{caption}**")
        cells = [[cell for cell in row if cell.tag in {"td", "th"}] for row in rows]
        inside = ".//table|.//pre|.//h1|.//h2|.//h3|.//h4"
        if node.get("role") == "presentation" or max(map(len, cells), default=0) < 2 or node.xpath(inside):
            for row in cells:           # it only puts things beside each other
                for cell in row:
                    yield from self._blocks(cell)
            return
        if text := table(list(_filled(cells))):
            yield Block(text, _share(node) >= LINKS)


def table(rows: list[list[str]]) -> str:
    """A Markdown table; the first row is its head."""
    cells = [[_BLANK.sub(" ", cell).strip().replace("|", "\\|") for cell in row] for row in rows]
    cells = [row for row in cells if any(row)]
    if not cells:
        return ""
    width = max(len(row) for row in cells)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in cells]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _filled(rows: list[list[Any]]) -> Iterator[list[str]]:
    """Each row with what reaches into it from above, so that a row can be read alone."""
    hanging: dict[int, tuple[int, str]] = {}        # column: rows to come, and the words
    for row in rows:
        filled: list[str] = []

        def above(filled: list[str] = filled) -> None:
            while (column := len(filled)) in hanging:
                left, words = hanging.pop(column)
                filled.append(words)
                if left > 1:
                    hanging[column] = (left - 1, words)

        for cell in row:
            above()
            words = _cell(cell)
            for n in range(_span(cell.get("colspan"))):
                if (down := _span(cell.get("rowspan"))) > 1:
                    hanging[len(filled)] = (down - 1, words if n == 0 else "")
                filled.append(words if n == 0 else "")
        above()
        yield filled


def _cell(node: Any) -> str:
    """On one line; items and paragraphs of it are told apart."""
    parts = node.iter("li", "p", "div")
    inner = [_line(part) for part in parts if next(part.iterdescendants("li", "p", "div"), None) is None]
    inner = [words for words in inner if words]
    whole = _line(node)
    return "; ".join(inner) if len(inner) > 1 and _BLANK.sub("", "".join(inner)) == _BLANK.sub("", whole) else whole


def _span(said: str | None) -> int:
    return min(SPAN, int(said)) if said and re.fullmatch(r"[1-9]\d{0,4}", said) else 1


def _code(node: Any) -> str:
    for gap in node.iter("br"):
        gap.tail = _INVALID.sub("", "\n" + (gap.tail or ""))
    text = node.text_content().replace("\r\n", "\n").strip("\n").rstrip()
    if not text.strip():
        return ""
    near = [node, *node.iterdescendants("code"), *[up for up, _ in zip(node.iterancestors(), range(3), strict=False)]]
    said = (f"{each.get('class', '')} {each.get('data-syntaxhighlighter-params', '')}" for each in near)
    names = (found[1].lower() for each in said if (found := _LANGUAGE.search(each)))
    name = next((name for name in names if name not in {"default", "text", "plain", "none", "source"}), "")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{name}\n{text}\n{fence}"


def _inline(node: Any) -> str:
    """The words of an element that is part of a line, with their emphasis."""
    if not isinstance(node.tag, str):
        return ""
    if node.tag == "br":
        return "\n"
    if node.tag == "img":
        return ""
    if node.tag in {"code", "kbd", "samp", "tt"}:
        words = _BLANK.sub(" ", node.text_content()).strip()
        return f"`{words}`" if words and "`" not in words else words
    words = (node.text or "") + "".join(_inline(child) + (child.tail or "") for child in node)
    mark = {"strong": "**", "b": "**", "em": "*", "i": "*"}.get(node.tag, "")
    bare = words.strip()
    if mark and bare and "*" not in bare and "\n\n" not in bare:
        return words.replace(bare, f"{mark}{bare}{mark}", 1)
    return words


def _quoted(texts: list[str]) -> Iterator[Block]:
    if texts:
        yield Block("\n".join(f"> {line}".rstrip() for line in "\n\n".join(texts).split("\n")))


def _paragraph(loose: list[str], linked: list[int]) -> Iterator[Block]:
    text = _tidy("".join(loose))
    links = linked[1] > 0 and linked[0] >= LINKS * linked[1]
    loose.clear()
    linked[:] = [0, 0]
    if re.search(r"\w", text):
        yield Block(_LIKE_MARKUP.sub(_escaped, text), links)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def _tidy(text: str) -> str:
    """Blanks are one, and lines end only where the page says so."""
    lines = (_BLANK.sub(" ", line).strip() for line in text.replace("\x00", "").split("\n"))
    return "\n".join(line for line in lines if line)


def _line(node: Any) -> str:
    """The words of an element on one line."""
    if node is None:
        return ""
    return _BLANK.sub(" ", " ".join(_tidy(_inline(node)).split("\n"))).strip()


def _heading(node: Any) -> str:
    """Its words, without the sign that sites put beside them to be linked to."""
    words = "".join([node.text or "", *(
        ("" if not isinstance(child.tag, str) or _PERMALINK.fullmatch(child.text_content()) or _is_named(child)
         else child.text_content()) + (child.tail or "") for child in node
    )])
    return _BLANK.sub(" ", words).strip().rstrip("\u00b6").strip()


def _id(node: Any) -> str:
    """Where a heading is opened: its own id, one inside of it, its section's, or one that stands right before it."""
    up, before = node.getparent(), next(node.itersiblings("*", preceding=True), None)
    alone = before is not None and before.tag in {"a", "span"} and not before.text_content().strip()
    beside = [before] if alone else []
    around = [up] if up is not None and up.tag in {"section", "div"} and before is None else []
    inside = [each for each in node.iterdescendants() if isinstance(each.tag, str)]
    found = (each.get("id") or each.get("name") for each in (node, *inside, *around, *beside))
    return next((each for each in found if each), "")


def _slug(heading: str, seen: dict[str, int]) -> str:
    """As the chunks' own anchors are made."""
    slug = _DROPPED.sub("", heading.lower()).replace(" ", "-")
    times = seen[slug] = seen.get(slug, -1) + 1
    return f"{slug}-{times}" if times else slug


def _is_block(node: Any) -> bool:
    """An inline element around blocks is one, too."""
    return node.tag in BLOCKS or any(each.tag in BLOCKS for each in node.iterdescendants() if isinstance(each.tag, str))


def _is_link(node: Any) -> bool:
    inside = list(node.iterchildren("*"))
    return node.tag == "a" or (len(inside) == 1 and not (node.text or "").strip() and inside[0].tag == "a")


def _is_named(node: Any) -> bool:
    """Whether its class says that it leads through the site; or its id, where that is not the name of a section."""
    names = (node.get("class") or "").split()
    if node.tag == "a" and not (_PERMALINK.fullmatch(node.text_content()) or (node.get("href") or "").startswith("#")):
        return False
    if node.tag in {"div", "ul", "ol", "td", "table", "p"}:
        names += (node.get("id") or "").split()
    telling = NAMES if node.tag in BLOCKS else INLINE
    for name in names:
        words = [word.lower() for word in _WORD.findall(name)]
        if telling.intersection(words) or any(phrase in " ".join(words) for phrase in PHRASES):
            return True
    return False


def _inside(node: Any, tags: set[str]) -> bool:
    return any(up.tag in tags or up.get("role") == "main" for up in node.iterancestors())


def _most(node: Any, total: int) -> bool:
    """Whether this is too much of the page to be left out for its name; links are never too much."""
    return _size(node) > MOST * total and _share(node) < LINKS


def _size(node: Any) -> int:
    """Words, but for those of scripts and styles."""
    words = 0
    for each in node.iter():
        if isinstance(each.tag, str) and each.tag not in {"script", "style"}:
            words += len((each.text or "").split())
        if each is not node:
            words += len((each.tail or "").split())
    return words


def _share(node: Any) -> float:
    """The part of its words that are links."""
    words = len(node.text_content().split())
    return sum(len(link.text_content().split()) for link in node.iter("a")) / words if words else 0.0


def _count(linked: list[int], text: str | None, *, link: bool = False) -> None:
    words = len(re.findall(r"\w+", text or ""))
    linked[0] += words if link else 0
    linked[1] += words


def _drop(node: Any) -> None:
    """A comment takes its place, which nobody reads; its tail stays: it is the text after it.

    To join that to the text before it would take a page with thousands of such parts as many times its own length.
    """
    up = node.getparent()
    if up is None:
        return
    gap = _comment()
    gap.tail = _INVALID.sub("", node.tail or "")
    up.replace(node, gap)


def _comment() -> Any:
    from lxml import etree  # type: ignore[import-untyped]  # ty: ignore[missing-module-member]  # noqa: PLC0415

    return etree.Comment()


def _without_links_around(blocks: list[Block]) -> list[Block]:
    """Links above the first heading lead elsewhere, and so do those at the end; a page of links keeps them."""
    first = next((n for n, block in enumerate(blocks) if block.level), 0)
    rest = [block for n, block in enumerate(blocks) if n >= first or not block.links]
    while rest and rest[-1].links and not (len(rest) > 1 and rest[-2].level):
        rest.pop()
    return rest if any(not block.level for block in rest) else blocks
