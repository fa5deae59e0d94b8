"""What a watch prints, round by round."""

from __future__ import annotations

import io

from rich.console import Console

from adapters.qdrant.sync import SyncReport
from bot.syncing import Rounds, say
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


def test_what_a_file_is_called_gives_the_terminal_no_orders() -> None:
    out = io.StringIO()
    failed = (("\x1b]0;owned\x07a\nb\x9b2J.md", "is no \x1b[31mtext"),)
    report = SyncReport(failed=failed, notes=(("\x1b[2Jc.md", "odd"),))
    say(Console(file=out, width=200), {"wiki": report})
    assert len(out.getvalue().splitlines()) == 3
    assert not any(each in out.getvalue() for each in "\x1b\x07\x9b")
    assert "odd" in out.getvalue()
