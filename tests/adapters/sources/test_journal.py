"""The memory of syncs, and threads that outlive whoever waited for them."""

from __future__ import annotations

import threading
from pathlib import Path

from adapters.sources.journal import Journal, Seen
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
