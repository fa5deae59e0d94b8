"""Block Kit as the documentation limits it: an unknown block, field or length is `invalid_blocks`, with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.fake_slack.world import ApiError

MOST: Final = {"message": 50, "modal": 100, "home": 100}
WHOLE: Final = 13_200           # characters of all texts of one message
MARKDOWN: Final = 12_000        # of all markdown blocks of one message
TABLE: Final = (100, 20, 10_000)    # rows, columns, characters

_BLOCKS: Final[Mapping[str, tuple[str, str, str]]] = {     # required, optional, surfaces
    "section": ("", "text fields accessory expand", "message modal home"),
    "markdown": ("text", "", "message"),
    "header": ("text", "level", "message modal home"),
    "context": ("elements", "", "message modal home"),
    "actions": ("elements", "", "message modal home"),
    "context_actions": ("elements", "", "message"),
    "divider": ("", "", "message modal home"),
    "image": ("alt_text", "image_url slack_file title", "message modal home"),
    "rich_text": ("elements", "", "message modal home"),
    "table": ("rows", "column_settings", "message"),
    "input": ("label element", "dispatch_action hint optional", "modal home message"),
    "alert": ("text", "level", "message modal"),
}
_ELEMENTS: Final[Mapping[str, tuple[str, str, str]]] = {   # required, optional, blocks
    "button": ("text action_id", "value url style confirm accessibility_label", "actions section"),
    "overflow": ("action_id options", "confirm", "actions section"),
    "static_select": ("action_id options", "placeholder initial_option confirm focus_on_load", "actions section input"),
    "external_select": ("action_id", "placeholder min_query_length initial_option", "actions section input"),
    "conversations_select": (
        "action_id", "placeholder initial_conversation default_to_current_conversation filter response_url_enabled",
        "actions section input"),
    "channels_select": ("action_id", "placeholder initial_channel response_url_enabled", "actions section input"),
    "users_select": ("action_id", "placeholder initial_user", "actions section input"),
    "checkboxes": ("action_id options", "initial_options confirm focus_on_load", "actions section input"),
    "radio_buttons": ("action_id options", "initial_option confirm focus_on_load", "actions section input"),
    "plain_text_input": (
        "action_id", "initial_value multiline min_length max_length placeholder focus_on_load dispatch_action_config",
        "input"),
    "image": ("alt_text", "image_url slack_file", "context section"),
    "mrkdwn": ("text", "verbatim", "context"),
    "plain_text": ("text", "emoji", "context"),
    "feedback_buttons": ("positive_button negative_button action_id", "", "context_actions"),
    "icon_button": ("icon text action_id", "value confirm accessibility_label visible_to_user_ids", "context_actions"),
}
_RICH: Final = frozenset({
    "rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote",
    "text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date", "color",
})
_OPTIONS: Final = {"overflow": 5, "checkboxes": 10, "radio_buttons": 10}


def read_blocks(given: Any, surface: str = "message") -> list[dict[str, Any]]:
    """The blocks of a call, which may be JSON in a string. Raises `ApiError`."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise ApiError("invalid_blocks_format") from None
    if not isinstance(given, list) or not all(isinstance(block, dict) for block in given):
        raise ApiError("invalid_blocks_format")
    _check = _Check(surface)
    _check.blocks(given)
    if _check.wrong:
        raise ApiError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {why}" for why in _check.wrong]},
                       errors=_check.wrong)
    if surface == "message" and (_check.whole > WHOLE or _check.markdown > MARKDOWN):
        raise ApiError("msg_blocks_too_long")
    return given


class _Check:
    """One walk through blocks; ``wrong`` collects what the documentation does not allow."""

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self.wrong: list[str] = []
        self.whole = self.markdown = 0
        self.ids: set[str] = set()

    def blocks(self, blocks: list[dict[str, Any]]) -> None:
        self.expect(len(blocks) <= MOST[self.surface], f"no more than {MOST[self.surface]} items allowed")
        self.expect(sum(b.get("type") == "table" for b in blocks) <= 1, "only one table allowed")
        for number, block in enumerate(blocks):
            self.block(block, f"/blocks/{number}")

    def expect(self, true: bool, why: str) -> bool:
        if not true:
            self.wrong.append(why)
        return true

    def fields(self, given: Mapping[str, Any], required: str, optional: str, at: str) -> bool:
        known = {*required.split(), *optional.split(), "type", "block_id"}
        missing = [name for name in required.split() if name not in given]
        extra = [name for name in given if name not in known]
        return self.expect(not missing, f"missing required field: {missing} [{at}]") \
            and self.expect(not extra, f"no additional properties allowed: {extra} [{at}]")

    def block(self, block: Mapping[str, Any], at: str) -> None:  # noqa: PLR0912  (a case for each kind)
        kind = block.get("type")
        if not self.expect(kind in _BLOCKS, f"unsupported type: {kind} [{at}]"):
            return
        required, optional, surfaces = _BLOCKS[str(kind)]
        self.expect(self.surface in surfaces.split(), f"unsupported type here: {kind} [{at}]")
        if not self.fields(block, required, optional, at):
            return
        if id := block.get("block_id"):
            self.expect(len(id) <= 255 and id not in self.ids, f"block_id too long or used twice [{at}]")
            self.ids.add(id)
        match kind:
            case "section":
                self.section(block, at)
            case "markdown":
                self.text(block, "text", MARKDOWN, at)
                self.markdown += len(block["text"])
            case "header":
                self.composed(block["text"], 150, at, only="plain_text")
            case "context":
                self.many(block["elements"], 10, kind, at)
            case "actions":
                self.many(block["elements"], 25, kind, at)
            case "context_actions":
                self.many(block["elements"], 5, kind, at)
            case "image":
                self.image(block, at)
            case "rich_text":
                self.rich(block["elements"], at)
            case "table":
                self.table(block, at)
            case "input":
                self.composed(block["label"], 2000, at, only="plain_text")
                if "hint" in block:
                    self.composed(block["hint"], 2000, at, only="plain_text")
                self.element(block["element"], "input", at)
            case "alert":
                self.composed(block["text"], 200, at)

    def section(self, block: Mapping[str, Any], at: str) -> None:
        self.expect("text" in block or "fields" in block, f"text or fields required [{at}]")
        if "text" in block:
            self.composed(block["text"], 3000, at)
        fields = block.get("fields", [])
        self.expect(len(fields) <= 10, f"no more than 10 fields allowed [{at}]")
        for field in fields:
            self.composed(field, 2000, at)
        if "accessory" in block:
            self.element(block["accessory"], "section", at)

    def many(self, elements: Any, most: int, kind: str, at: str) -> None:
        if not self.expect(isinstance(elements, list), f"elements must be a list [{at}]"):
            return
        self.expect(1 <= len(elements) <= most, f"1 to {most} elements allowed, there are {len(elements)} [{at}]")
        ids = [e["action_id"] for e in elements if "action_id" in e]
        self.expect(len(ids) == len(set(ids)), f"action_id used twice [{at}]")
        for number, element in enumerate(elements):
            self.element(element, kind, f"{at}/elements/{number}")

    def text(self, given: Mapping[str, Any], name: str, most: int, at: str) -> None:
        text = given.get(name)
        if self.expect(isinstance(text, str), f"{name} must be a string [{at}/{name}]"):
            self.expect(1 <= len(str(text)) <= most, f"must be 1 to {most} characters [{at}/{name}]")
            self.whole += len(str(text))

    def composed(self, text: Any, most: int, at: str, only: str = "") -> None:
        """A text object."""
        if not self.expect(isinstance(text, dict) and text.get("type") in ("mrkdwn", "plain_text"),
                           f"not a text object [{at}/text]"):
            return
        self.expect(not only or text["type"] == only, f"must be {only} [{at}/text]")
        allowed = "verbatim" if text["type"] == "mrkdwn" else "emoji"
        if self.fields(text, "text", allowed, f"{at}/text"):
            self.text(text, "text", most, at)

    def element(self, element: Any, where: str, at: str) -> None:  # noqa: PLR0912  (the same)
        if not self.expect(isinstance(element, dict) and element.get("type") in _ELEMENTS,
                           f"unsupported element [{at}]"):
            return
        kind = element["type"]
        required, optional, blocks = _ELEMENTS[kind]
        self.expect(where in blocks.split(), f"{kind} is not allowed in {where} [{at}]")
        if not self.fields(element, required, optional, at):
            return
        if "action_id" in element:
            self.text({"action_id": element["action_id"]}, "action_id", 255, at)
            self.whole -= len(element["action_id"])
        match kind:
            case "mrkdwn" | "plain_text":
                self.text(element, "text", 3000, at)
            case "button":
                self.composed(element["text"], 75, at, only="plain_text")
                self.short(element, {"value": 2000, "url": 3000, "accessibility_label": 75}, at)
                self.expect(element.get("style", "primary") in ("primary", "danger"), f"unknown style [{at}]")
            case "image":
                self.image(element, at)
            case "feedback_buttons":
                for side in ("positive_button", "negative_button"):
                    button = element[side]
                    if self.fields(button, "text value", "accessibility_label", f"{at}/{side}"):
                        self.composed(button["text"], 75, at, only="plain_text")
                        self.short(button, {"value": 2000, "accessibility_label": 75}, at)
            case "icon_button":
                self.expect(element["icon"] == "trash", f"unknown icon [{at}]")
                self.composed(element["text"], 75, at, only="plain_text")
                self.short(element, {"value": 2000}, at)
        if "placeholder" in element:
            self.composed(element["placeholder"], 150, at, only="plain_text")
        if "options" in element:
            most = _OPTIONS.get(kind, 100)
            self.expect(1 <= len(element["options"]) <= most, f"1 to {most} options allowed [{at}]")
            for option in element["options"]:
                if self.fields(option, "text value", "description url", f"{at}/options"):
                    self.composed(option["text"], 75, at)
                    self.short(option, {"value": 150}, at)
        if "confirm" in element and self.fields(element["confirm"], "title text confirm deny", "style", at):
            for part, most in {"title": 100, "text": 300, "confirm": 30, "deny": 30}.items():
                self.composed(element["confirm"][part], most, at)

    def short(self, given: Mapping[str, Any], most: Mapping[str, int], at: str) -> None:
        for name, length in most.items():
            if name in given:
                fits = isinstance(given[name], str) and len(given[name]) <= length
                self.expect(fits, f"no more than {length} characters [{at}/{name}]")

    def image(self, image: Mapping[str, Any], at: str) -> None:
        self.expect("image_url" in image or "slack_file" in image, f"image_url or slack_file required [{at}]")
        self.short(image, {"alt_text": 2000, "image_url": 3000}, at)

    def rich(self, elements: Any, at: str) -> None:
        for element in elements:
            if not self.expect(element.get("type") in _RICH, f"unsupported element: {element.get('type')} [{at}]"):
                return
            if element["type"] in ("text", "link"):
                text = element.get("text", element.get("url", ""))
                self.expect(bool(text), f"must be more than 0 characters [{at}]")
                self.whole += len(text)
            self.rich(element.get("elements", ()), at)

    def table(self, block: Mapping[str, Any], at: str) -> None:
        rows, columns, characters = TABLE
        self.expect(1 <= len(block["rows"]) <= rows, f"1 to {rows} rows allowed [{at}]")
        widths = {len(row) for row in block["rows"]}
        self.expect(len(widths) == 1 and max(widths) <= columns, f"rows of one width up to {columns} allowed [{at}]")
        before = self.whole
        for cell in (cell for row in block["rows"] for cell in row):
            match cell.get("type"):
                case "raw_text":
                    self.text(cell, "text", characters, at)
                case "rich_text":
                    self.rich(cell["elements"], at)
                case "raw_number":
                    pass
                case other:
                    self.expect(False, f"unsupported cell: {other} [{at}]")
        self.expect(self.whole - before <= characters, f"no more than {characters} characters in a table [{at}]")
