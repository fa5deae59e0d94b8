"""Serves until it is killed; what people do and see is had over HTTP, and every call can be kept in a file."""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.fake_slack import FakeSlack, fake_slack
from tests.fake_slack.delivery import Delivery
from tests.fake_slack.slack import Called

SECONDS: Final = 5.0            # between two looks whether the file is written


async def serve(given: argparse.Namespace) -> None:
    """Runs the fake; ``given.record`` gets a line of JSON for each call and each delivery."""
    async with fake_slack(host=given.host, port=given.port, scale=given.scale) as slack:
        slack.delivery.request_url = given.request_url
        if given.record is None:
            print(f"ready {slack.url}", flush=True)     # whoever started us waits for this line
            await asyncio.Event().wait()
            return
        with given.record.open("a", encoding="utf-8") as file:
            record(slack, file)
            print(f"ready {slack.url}", flush=True)
            while True:
                await asyncio.sleep(SECONDS)
                file.flush()


def record(slack: FakeSlack, file: Any) -> None:
    """Writes down what the app calls, and what it is told."""
    def call(called: Called) -> None:
        line = {"call": called.method, "args": called.args, "error": called.error, "at": called.at, "done": called.done}
        file.write(json.dumps(line) + "\n")

    def delivery(told: Delivery) -> None:
        line = {"told": told.name, "payload": told.payload, "sent": told.sent, "acked": told.acked,
                "failures": told.failures}
        file.write(json.dumps(line) + "\n")

    slack.answered = call
    slack.delivery.said = delivery


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description="A Slack for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: a free one; the ready line names it")
    parser.add_argument("--scale", type=float, default=1.0, help="of every rate tier; 0 turns them off")
    parser.add_argument("--request-url", default="", help="where the app takes events; without it, Socket Mode")
    parser.add_argument("--record", type=Path, help="a file that gets a line for each call and each delivery")
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
