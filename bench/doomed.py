"""Runs `bartizan run` and kills it right before or right after its n-th commit of one kind.

    python bench/doomed.py checkpoint:after:3

The program knows nothing of it: what a transaction holds is read off its statements.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

KINDS: Final = {
    "receive": "insert into event",
    "claim": " as waited",              # read only when something was claimed
    "checkpoint": "insert into answer",
    "finish": ", outcome=",
}
MOMENTS: Final = ("before", "after")


@dataclass(slots=True)
class Doom:
    """Counts commits of one kind, and strikes at the last of them."""

    kind: str
    moment: str
    left: int

    @classmethod
    def read(cls, said: str) -> Doom:
        """From ``kind:moment:number``. Raises `ValueError`."""
        kind, moment, number = said.split(":")
        if kind not in KINDS or moment not in MOMENTS:
            raise ValueError(f"expected {'|'.join(KINDS)}:{'|'.join(MOMENTS)}:number")
        return cls(kind, moment, int(number))

    def listen(self) -> None:
        """From here on every engine of this process is watched."""
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "rollback", self._rolled_back)
        event.listen(Engine, "commit", self._committing)
        event.listen(Pool, "checkin", self._returned)

    def _statement(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if KINDS[self.kind] in " ".join(statement.lower().split()):
            connection.info["doomed"] = "open"

    def _rolled_back(self, connection: Connection) -> None:
        connection.info.pop("doomed", None)

    def _committing(self, connection: Connection) -> None:
        """SQLAlchemy says so before it commits."""
        if connection.info.get("doomed") == "open":
            self.left -= 1
            if self.left == 0 and self.moment == "before":
                _die()
            connection.info["doomed"] = "committed"

    def _returned(self, _connection: Any, record: Any) -> None:
        """The first thing that happens after a commit, before anybody is told of it."""
        if record.info.pop("doomed", None) == "committed" and self.left <= 0 and self.moment == "after":
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Becomes ``bartizan run``."""
    Doom.read(sys.argv[1]).listen()
    from bot.cli import main as bartizan  # noqa: PLC0415  (the listeners come first)

    sys.argv = ["bartizan", "run"]
    bartizan()


if __name__ == "__main__":
    main()
