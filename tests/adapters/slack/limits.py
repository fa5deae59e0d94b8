"""What Slack takes, as its documentation says it: a second opinion on what we build, written without our builders."""

from __future__ import annotations

from typing import Any

ELEMENT_TYPES = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted"}


def breaches(blocks: list[dict[str, Any]], text: str) -> list[str]:
    """Every limit of rows S15 and S16 that a message breaks."""
    found = [f"{len(blocks)} blocks"] if not 0 < len(blocks) <= 50 else []
    if not text or len(text.encode()) > 4_000:
        found.append(f"text of {len(text.encode())} bytes")
    if (total := sum(len(s.encode("utf-16-le")) // 2 for s in texts(blocks))) > 12_000:
        found.append(f"{total} characters together")
    if sum(block["type"] == "table" for block in blocks) > 1:
        found.append("more than one table")
    return found + [breach for block in blocks for breach in _block(block)]


def texts(part: Any) -> list[str]:
    """Everything that counts as the length of a message."""
    if isinstance(part, dict):
        return [s for key, value in part.items() for s in (
            [value] if isinstance(value, str) and key in ("text", "url", "value") else texts(value))]
    return [s for value in part for s in texts(value)] if isinstance(part, list) else []


def _block(block: dict[str, Any]) -> list[str]:
    check = CHECKS.get(block["type"])
    return check(block) if check else [f"a block of type {block['type']}"]


def _context(block: dict[str, Any]) -> list[str]:
    found = [] if 0 < len(block["elements"]) <= 10 else ["context of too many or no elements"]
    return found + [breach for element in block["elements"] for breach in _text(element, 3_000, "mrkdwn")]


def _actions(block: dict[str, Any]) -> list[str]:
    found = [] if 0 < len(block["elements"]) <= 25 else ["too many or no actions"]
    return found + [breach for element in block["elements"] for breach in _button(element)]


def _table(block: dict[str, Any]) -> list[str]:
    rows = block["rows"]
    found = [] if 0 < len(rows) <= 100 and all(0 < len(row) <= 20 for row in rows) else ["table too large"]
    if len({len(row) for row in rows}) != 1 or len(block["column_settings"]) > 20:
        found.append("rows of different lengths")
    return found + [breach for row in rows for cell in row for breach in _rich(cell)]


def _rich(block: dict[str, Any]) -> list[str]:
    found = [] if block["elements"] else ["empty rich text"]
    for element in block["elements"]:
        if element["type"] not in ELEMENT_TYPES:
            found.append(f"rich text holds {element['type']}")
        if element["type"] == "rich_text_list":
            if not 0 <= element["indent"] <= 8 or not element["elements"]:
                found.append("a list too deep or empty")
            inner = element["elements"]
        else:
            inner = [element]
        for part in inner:
            found += ["empty element"] if not part["elements"] else []
            odd = [e for e in part["elements"] if e["type"] not in ("text", "link") or not e["text"]]
            found += ["empty or odd text"] if odd else []
            found += ["url too long" for e in part["elements"] if len(e.get("url", "")) > 3_000]
    return found


def _text(text: dict[str, Any], limit: int, kind: str) -> list[str]:
    fit = text["type"] == kind and 0 < len(text["text"].encode("utf-16-le")) // 2 <= limit
    return [] if fit else [f"a {text['type']} of {len(text['text'])}, limit {limit}"]


def _button(element: dict[str, Any]) -> list[str]:
    fit = len(element["value"]) <= 2_000 and len(element["action_id"]) <= 255
    return _text(element["text"], 75, "plain_text") + ([] if fit else ["a button's ids"])


CHECKS = {
    "rich_text": _rich,
    "header": lambda block: _text(block["text"], 150, "plain_text"),
    "section": lambda block: _text(block["text"], 3_000, "mrkdwn"),
    "input": lambda block: _text(block["label"], 2_000, "plain_text"),
    "context": _context,
    "actions": _actions,
    "context_actions": lambda block: [] if 0 < len(block["elements"]) <= 5 else ["too many or no context actions"],
    "table": _table,
    "divider": lambda _: [],
}
