"""What a watch prints, round by round."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from adapters.qdrant.points import Record
from adapters.qdrant.socket import open_index
from adapters.qdrant.sync import SyncReport
from bot.settings import Settings
from bot.sources import WANTED
from bot.syncing import Rounds, forget_removed, opened, say
from engine.errors import RetrieverUnavailable
from engine.messages import MessageId
from tests.adapters.qdrant.worlds import Bags

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


async def test_whoever_removes_a_source_is_told_when_it_is_gone_or_why_it_is_not(tmp_path: Path) -> None:
    settings, said = Settings(data_dir=tmp_path), list[str]()

    async def minds() -> dict[str, int]:
        return {"wiki": 7, "old": 3}

    (tmp_path / "index").mkdir()
    async with open_index(tmp_path / "index", Bags()) as owner:
        assert await forget_removed(settings, "wiki", said.append) == 1
        assert (tmp_path / WANTED).exists()
        owner.minds = minds
        assert await forget_removed(settings, "wiki", said.append) == 0
    assert said == [
        "Removed wiki, but its pages are still in the index until the next sync: another command has the index just "
        "now; try again when it has ended.", "Removed wiki, and forgot 7 pages.",
    ]


async def test_a_sync_that_has_the_index_takes_out_what_a_bot_beside_it_hears_of(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path})
    async with opened(settings) as (shared, knowledge), open_index(tmp_path / "index", Bags()) as bot:
        assert knowledge is not None
        assert shared.own
        for number in (1, 2):
            plan = Record(f"uploads/test%3Aops%2F{number}/0-plan", "uploads", "h", "1", frozenset({"org"}), "")
            await shared.own.put([(plan, [])])
        assert bot.own is None
        await bot.recall(MessageId("test:ops/1"), True)
        await bot.recall(MessageId("test:ops/2"), False)
        assert list(shared.own.records) == ["uploads/test%3Aops%2F2/0-plan"]
