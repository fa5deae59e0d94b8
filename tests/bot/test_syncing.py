"""What a watch prints, round by round."""

from __future__ import annotations

import io

from rich.console import Console

from adapters.qdrant.sync import SyncReport
from bot.syncing import Rounds
from engine.errors import RetrieverUnavailable

LOCKED = (("locked.pdf", "is encrypted"),)


def test_a_failure_is_told_once_until_it_changes() -> None:
    out = io.StringIO()
    rounds = Rounds(Console(file=out, width=200))
    told: list[list[str]] = []
    for came in ({"wiki": SyncReport(added=1, failed=LOCKED)}, {"wiki": SyncReport(unchanged=1, failed=LOCKED)},
                 {"wiki": SyncReport(deleted=1, failed=LOCKED)}, RetrieverUnavailable("the disk is full"),
                 {"wiki": SyncReport()}, {"wiki": SyncReport()}):
        out.seek(0)
        out.truncate()
        rounds.say(came)
        told.append(out.getvalue().splitlines())
    assert [len(lines) for lines in told] == [2, 0, 2, 1, 1, 0]
    assert told[0][1] == "  locked.pdf: is encrypted"
    assert told[3] == ["the disk is full"]
    assert "0 failed" in told[4][0]
