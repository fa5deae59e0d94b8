"""The dialogs that we open, and what is read from them when they are submitted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.slack import blocks
from adapters.slack.blocks import Block
from adapters.slack.mrkdwn import clip, clip_escaped, reach, title, units
from engine.harmless import harmless

ASK: Final = "bartizan_ask"
"""``callback_id`` of the dialog that asks for a question."""
FORGET_CONFIRMED: Final = "bartizan_forget_confirmed"
"""The same of the one that makes sure of a forgetting."""
INFORMED: Final = "bartizan_informed"
"""The same of those that have nothing to submit."""
QUESTION: Final = "question"
LONGEST: Final = 3_000
"""Characters of a field that people type into, at most."""
_TITLE: Final = 24
_METADATA: Final = 3_000


def ask_modal(id: str = "", about: str = "") -> dict[str, Any]:
    """A field for a question. ``about``: the message that it is about, cleared; ``id`` comes back as ``told``."""
    made: list[Block] = [blocks.rich([blocks.quoted(blocks.words(clip(harmless(about), 1_000)))])] if about else []
    made.append({
        "type": "input", "block_id": QUESTION, "label": blocks.plain("Your question"),
        "element": {"type": "plain_text_input", "action_id": QUESTION, "multiline": True, "min_length": 1,
                    "max_length": LONGEST, "focus_on_load": True,
                    "placeholder": blocks.plain("How much notice before annual leave?")},
    })
    made.append(blocks.context(["Only you will see the answer."]))
    return _modal("Ask about this" if about else "Ask a question", ASK, made, id=id, submit="Ask")


def forget_modal(id: str) -> dict[str, Any]:
    """Makes sure; ``id`` is the opaque id of the button that was pressed."""
    return _modal("Forget my data?", FORGET_CONFIRMED, [blocks.section(
        "*This cannot be undone.* I delete the key that everything you wrote to me is encrypted with: your questions, "
        "my answers to them and the sources they cite can then be read by nobody, not even in backups.\n\n"
        "What stands in Slack stays there; delete it there if you want it gone.")], id=id, submit="Forget it all")


def forgotten_modal(sentence: str) -> dict[str, Any]:
    """How it went."""
    return _modal("Forget my data", INFORMED, [blocks.section(clip_escaped(harmless(sentence), blocks.TEXT))])


def export_modal(text: str) -> dict[str, Any]:
    """What is stored about a person, as far as a dialog has room for it; how much is left out stands below."""
    text = harmless(text)
    made: list[Block] = []
    at, room = 0, blocks.MESSAGE - 500
    while at < len(text) and room > 0:
        end = at + reach(text[at : at + blocks.TEXT], min(blocks.TEXT, room))
        made.append(blocks.rich([blocks.code(text[at:end])]))
        room -= units(text[at:end])
        at = end
    left = len(text) - at
    if left:
        made.append(blocks.context([
            f"{left:,} more characters do not fit here. An operator can give you all of it: `bartizan privacy export`."
        ]))
    return _modal("Your data", INFORMED, made or [blocks.section("Nothing is stored about you.")])


def told(view: Mapping[str, Any]) -> str:
    """The id that a submitted dialog was opened with."""
    return str(view.get("private_metadata") or "")


def question_of(view: Mapping[str, Any]) -> str:
    """What was typed into `ask_modal`; empty when the view holds no such field."""
    field = view.get("state", {}).get("values", {}).get(QUESTION, {}).get(QUESTION, {})
    return str(field.get("value") or "").strip()


def _modal(heading: str, callback: str, made: list[Block], *, id: str = "", submit: str = "") -> dict[str, Any]:
    if len(id) > _METADATA:
        raise ValueError(f"an id of {len(id)} characters, limit {_METADATA}")
    button = {"submit": blocks.plain(clip(submit, _TITLE))} if submit else {}
    return {"type": "modal", "callback_id": callback, "title": blocks.plain(clip(title(heading), _TITLE)),
            "close": blocks.plain("Cancel" if submit else "Close"), **button,
            **({"private_metadata": id} if id else {}), "blocks": made}
