"""When an HTML page says that it was last changed, in its head or where a wiki writes it. Pure but for the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

CHANGED: Final = frozenset({"article:modified_time", "og:updated_time", "last-modified", "dcterms.modified"})
"""Not when it was published: that is older than what its source knows of it."""
_BYLINE: Final = "//*[contains(concat(' ', @class, ' '), ' page-metadata ')]"
"""Confluence: "Created by Ann, last modified by Bob on Mar 04, 2026"."""
LONGEST: Final = 1_000          # characters of that line
_MONTHS: Final = {
    name: number for number, names in enumerate(
        ("jan", "feb", "mar mär", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), 1)
    for name in names.split()
}
_DAY: Final = re.compile(
    r"(?P<iso>\d{4}-\d\d-\d\d)|(?P<first>[^\W\d_]{3})[^\W\d_]*\.? (?P<second>\d{1,2}), (?P<late>\d{4})"
    r"|(?P<day>\d{1,2})\.? (?P<month>[^\W\d_]{3})[^\W\d_]*\.?,? (?P<year>\d{4})"
    r"|(?P<d>\d\d?)\.(?P<m>\d\d?)\.(?P<y>\d{4})")


def changed(tree: Any) -> datetime | None:
    """The date, if there is one that can be read without guessing which number is the month."""
    return next((when for said in _said(tree) if (when := _when(said)) is not None), None)


def _said(tree: Any) -> Iterator[str]:
    for meta in tree.iter("meta"):
        if (meta.get("property") or meta.get("name") or "").lower() in CHANGED:
            yield meta.get("content") or ""
    for node in tree.xpath("//*[@itemprop='dateModified']"):
        yield node.get("datetime") or node.get("content") or ""
    for byline in tree.xpath(f"({_BYLINE})[1]"):
        days = list(_DAY.finditer(" ".join(byline.text_content()[:LONGEST].split())))
        yield days[-1][0] if days else ""


def _when(said: str) -> datetime | None:
    for reader in (datetime.fromisoformat, _day, parsedate_to_datetime):
        try:
            when = reader(said.strip())
            return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _day(said: str) -> datetime:
    """Raises `ValueError`."""
    found = _DAY.fullmatch(said)
    if not found or found["iso"]:       # a day that there is not: the others' reader would have read it
        raise ValueError
    year, day = found["late"] or found["year"] or found["y"], found["second"] or found["day"] or found["d"]
    named = found["first"] or found["month"]
    month = _MONTHS.get(named.lower(), 0) if named else int(found["m"])
    return datetime(int(year), month, int(day), tzinfo=UTC)
