"""Runs a NeMo Guardrails configuration, in an environment that has it: FOLDER. Nothing of ours is imported here.

Lines of JSON come in, ``{"id", "direction": "in" | "out", "question", "text"}``, and go out,
``{"id", "status": "passed" | "modified" | "blocked" | "error", "text", "rail"}``; the first line that goes out says
``{"ready": true, "in": ..., "out": ...}`` or ``{"ready": false, "cause": ...}``. No line repeats an error's text,
which may quote a message.
"""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

LIMIT = 64 * 1024 * 1024
"""Characters of a line."""


def main(folder: str) -> None:
    """Answers until its input ends."""
    # Libraries print; what they print must not end up between our lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        nemo = importlib.import_module("nemoguardrails")    # seconds; its failure is an answer, too
        config = nemo.RailsConfig.from_path(folder)
        rails = nemo.LLMRails(config)
    except Exception as error:  # noqa: BLE001, RUF100 - whatever it is, the other side must hear of it
        tell({"ready": False, "cause": type(error).__name__})
        return
    tell({"ready": True, "in": bool(config.rails.input.flows), "out": bool(config.rails.output.flows)})
    asyncio.run(_serve(rails, sys.stdin, tell))


async def _serve(rails: Any, source: TextIO, tell: Callable[[dict[str, Any]], None]) -> None:
    loop = asyncio.get_running_loop()
    working: set[asyncio.Task[None]] = set()
    while line := await loop.run_in_executor(None, source.readline, LIMIT):
        task = loop.create_task(_answer(rails, json.loads(line), tell))
        working.add(task)
        task.add_done_callback(working.discard)


async def _answer(rails: Any, asked: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
    kinds = importlib.import_module("nemoguardrails.rails.llm.options").RailType
    messages = [{"role": "user", "content": asked["text"]}]
    kind = kinds.INPUT
    if asked["direction"] == "out":
        messages = [{"role": "user", "content": asked["question"]}, {"role": "assistant", "content": asked["text"]}]
        kind = kinds.OUTPUT
    try:
        result = await rails.check_async(messages, rail_types=[kind])
        tell({"id": asked["id"], "status": result.status.value, "text": result.content, "rail": result.rail or ""})
    except Exception as error:  # noqa: BLE001, RUF100 - one question that breaks must not end the others
        tell({"id": asked["id"], "status": "error", "text": "", "rail": type(error).__name__})


if __name__ == "__main__":
    main(sys.argv[1])
