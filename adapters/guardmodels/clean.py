"""Judged text must not speak to its judge: marks that a chat template or a guard's task is built of are defused.

Brackets are exchanged, not removed: what is left after a removal can be a mark itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adapters.guardmodels.judgement import NO_MESSAGE
from engine.prompt import ChatMessage

# Blanks are taken once and for all (``*+``): given back one by one, a thousand of them would cost a million steps.
_MARK: Final = re.compile(
    r"<(?=\s*[|｜])(?P<special>[^<>]{1,60})>"                               # <|eot_id|>, <|im_start|>, <｜User｜>
    r"|<(?P<task>\s*+(?:/\s*+)?(?:(?:begin|end)\s+(?:unsafe\s+content\s+categories|conversation)"
    r"|think|no-?think|score|guardian|confidence|start_of_turn|end_of_turn|s|bos|eos)\s*)>"
    r"|\[(?P<inst>\s*+(?:/\s*+)?(?:INST|SYS)\s*)\]",
    re.IGNORECASE,
)
_SPEAKER: Final = re.compile(
    r"^(?=[^\S\n]*(?:user|agent|assistant|human|system)[^\S\n]*[:：])", re.IGNORECASE | re.MULTILINE
)
_UNSENDABLE: Final = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """The same words, with no template mark and no line that opens as another speaker's."""
    text = _UNSENDABLE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    while (once := _MARK.sub(_defused, text)) != text:     # one mark may hide inside another
        text = once
    return _SPEAKER.sub("| ", text)


def conversation(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Cleaned, without system messages, user first and in turn, as the models' templates demand it."""
    turns: list[ChatMessage] = []
    for message in messages:
        if message.role == "system":
            continue
        text = clean(message.text)
        if turns and turns[-1].role == message.role:
            turns[-1] = replace(turns[-1], text=f"{turns[-1].text}\n\n{text}")
        else:
            turns.append(ChatMessage(message.role, text))
    if not turns or turns[0].role == "assistant":
        turns.insert(0, ChatMessage("user", NO_MESSAGE))
    return [each if each.text.strip() else replace(each, text=NO_MESSAGE) for each in turns]


def _defused(found: re.Match[str]) -> str:
    inner = found["special"] or found["task"]
    return f"‹{inner}›" if inner else f"({found['inst']})"
