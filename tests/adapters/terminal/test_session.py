"""Several terminals over one data folder, one after the other and at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.terminal.session import open_session
from engine.errors import StoreUnavailable

HOLD = """
import sys, pathlib
from adapters.terminal.session import open_session
with open_session(pathlib.Path(sys.argv[1]), resume=True) as session:
    print(session.route, session.conversation, flush=True)
    sys.stdin.read()
"""


def test_the_next_start_goes_on_in_the_same_conversation(tmp_path: Path) -> None:
    with open_session(tmp_path, resume=True) as first:
        assert not first.resumed
        route, conversation = first.route, first.conversation
    with open_session(tmp_path, resume=True) as second:
        assert (second.route, second.conversation, second.resumed) == (route, conversation, True)
        second.begin()
        assert (second.conversation != conversation, second.resumed) == (True, False)
        later = second.conversation
    with open_session(tmp_path, resume=True) as third:
        assert third.conversation == later


def test_chats_at_the_same_time_have_nothing_in_common(tmp_path: Path) -> None:
    with open_session(tmp_path, resume=True) as one, open_session(tmp_path, resume=True) as two:
        assert one.route != two.route
        assert one.conversation != two.conversation


def test_two_data_folders_over_one_database_do_not_meet(tmp_path: Path) -> None:
    with open_session(tmp_path / "a", resume=True) as one, open_session(tmp_path / "b", resume=True) as two:
        assert one.route != two.route


def test_a_question_on_the_side_leaves_the_chat_alone(tmp_path: Path) -> None:
    with open_session(tmp_path, resume=True) as chat:
        pass
    with open_session(tmp_path, resume=False) as first:
        pass
    with open_session(tmp_path, resume=False) as second:
        assert second.route == first.route
        assert second.conversation != first.conversation
        assert second.route != chat.route
    with open_session(tmp_path, resume=True) as again:
        assert again.conversation == chat.conversation


def test_a_killed_process_leaves_its_terminal_to_the_next(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout is not None
        route, conversation = process.stdout.readline().split()
        with open_session(tmp_path, resume=True) as beside:
            assert beside.route != route
        process.kill()
    with open_session(tmp_path, resume=True) as after:
        assert (after.route, after.conversation) == (route, conversation)


def test_a_spoilt_file_is_begun_anew(tmp_path: Path) -> None:
    for spoilt in (b"\xff\xfe", b"[]", b'{"route": 3}', b'{"route": "test", "conversation": "slack:C1"}', b"{" * 9000):
        (tmp_path / "chat-1.json").write_bytes(spoilt)
        with open_session(tmp_path, resume=True) as session:
            assert session.route.startswith("terminal-")
            assert session.conversation.startswith("terminal:")
            route = session.route
        with open_session(tmp_path, resume=True) as again:
            assert again.route == route


def test_no_two_questions_share_an_id(tmp_path: Path) -> None:
    with open_session(tmp_path, resume=True) as session:
        said = [session.said("hello?") for _ in range(100)]
    assert len({each.key for each in said}) == len({each.message.id for each in said}) == 100
    assert {each.message.place.platform for each in said} == {session.route}


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be used"), open_session(tmp_path / "file", resume=True):
        pass


def test_a_conversation_that_cannot_be_noted_is_not_begun(tmp_path: Path) -> None:
    with open_session(tmp_path, resume=True) as session:
        before = session.conversation
        read_only = os.open(tmp_path / "chat-1.json", os.O_RDONLY)
        session.descriptor, descriptor = read_only, session.descriptor
        with pytest.raises(StoreUnavailable):
            session.begin()
        assert session.conversation == before
        session.descriptor = descriptor
        os.close(read_only)
