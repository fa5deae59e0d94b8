"""The memory of syncs, and threads that outlive whoever waited for them."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from adapters.sources.journal import Journal, Progress, Seen, unread
from engine.errors import RetrieverUnavailable


def test_a_thread_that_still_works_while_the_journal_is_closed_is_told_so(tmp_path: Path) -> None:
    """A sync that is cancelled leaves its thread behind; closing the file under its feet would end the process."""
    rows = {f"{number}.md": Seen("stamp") for number in range(2_000)}
    ends: list[str] = []

    def work(journal: Journal, begun: threading.Event) -> None:
        try:
            while True:
                journal.keep("wiki", rows, ())
                begun.set()
        except RetrieverUnavailable as error:
            ends.append(str(error))

    for round_ in range(20):
        begun = threading.Event()
        with Journal.open(tmp_path / f"{round_}.db") as journal:
            thread = threading.Thread(target=work, args=(journal, begun))
            thread.start()
            begun.wait(10)
        thread.join(10)
        assert not thread.is_alive()
    assert len(ends) == 20
    assert all(end.startswith("the journal of syncs fails") for end in ends)


def test_what_was_read_to_its_end_stays_so_though_it_is_to_be_read_otherwise(tmp_path: Path) -> None:
    place = tmp_path / "sync.db"
    assert unread(place, ["wiki"])
    with Journal.open(place) as journal:
        journal.keep("wiki", {"a.md": Seen("stamp")}, ())
        assert unread(place, ["wiki"])
        journal.advance("wiki", Progress("commit", 5.0))
        assert (unread(place, ["wiki"]), unread(place, ["wiki", "app"])) == (False, True)
    with closing(sqlite3.connect(place)) as file:       # as an earlier version left it
        file.execute("PRAGMA user_version = 1")
    with Journal.open(place) as journal:
        assert (journal.seen("wiki"), journal.progress("wiki")) == ({}, Progress("", 5.0))
    assert not unread(place, ["wiki"])
    place.write_text("no database at all")
    assert not unread(place, ["wiki"])
