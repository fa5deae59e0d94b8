"""`bartizan chat` as a program: the real handbook and the real embedding model, in pipes and in a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pexpect
import pyte
import pytest

COMMAND = (sys.executable, "-m", "bot", "chat")
QUESTION = "how much notice before annual leave?"
WIDTH, HEIGHT = 90, 50


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BARTIZAN_", "SLACK_", "DISCORD_"))}
    return {**kept, "BARTIZAN_DATA_DIR": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8", **more}


def run(folder: Path, *arguments: str, typed: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=typed, capture_output=True, env=environment(folder, **more),
                          check=False, timeout=60)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[bytes]]:
    """A data folder in which one question was asked, and how that went: it embeds the handbook once for all tests."""
    folder = tmp_path_factory.mktemp("chat") / "data"
    return folder, run(folder, "--ask", QUESTION, "--json")


@pytest.fixture
def folder(indexed: tuple[Path, object], tmp_path: Path) -> Path:
    """A data folder of its own, with the handbook indexed."""
    return Path(shutil.copytree(indexed[0], tmp_path / "data"))


@contextmanager
def a_model(chunks: int, delay_ms: int, say: str = "") -> Generator[str]:
    """The address of a stand-in for SGLang that speaks slowly."""
    command = [sys.executable, "-m", "tests.fake_sglang", "--chunks", str(chunks), "--delay-ms", str(delay_ms),
               "--say", say]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def test_one_question_gets_one_line_of_json(indexed: tuple[Path, subprocess.CompletedProcess[bytes]]) -> None:
    folder, done = indexed
    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)
    said = json.loads(done.stdout)
    assert list(said) == ["answer", "citations", "grounded", "mode", "trace"]
    assert (said["grounded"], said["mode"]) == (True, "quote")
    assert re.fullmatch(r"[0-9a-f]{32}", said["trace"])
    assert [list(each) for each in said["citations"]] == [["marker", "title", "url", "quote", "date"]] * len(
        said["citations"])
    first = said["citations"][0]
    assert (first["marker"], first["title"], first["date"]) == (1, "Annual leave", "2026-01-12T00:00:00+00:00")
    assert "5 working days" in first["quote"]
    log = (folder / "bartizan.log").read_text()
    assert log
    assert "annual leave?" not in log


def test_a_pipe_of_questions_is_answered_in_order(folder: Path) -> None:
    typed = QUESTION.encode() + b"\n\n  \nwhen does \xff\xfe the \x00 on-call shift change?\r\nhow do I call in sick"
    done = run(folder, "--plain", typed=typed)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout
    said = done.stdout.decode()
    assert re.findall(r"^\[1\] ([\w -]+) \(", said, re.MULTILINE) == ["Annual leave", "On-call rota", "Sick leave"]


def test_commands_work_in_a_pipe_and_are_questions_for_programs(folder: Path) -> None:
    typed = f"/sources\n{QUESTION}\n/sources\n/new\n/attach /no/such/plan.pdf\n/quit\nwhen does the shift change?\n"
    done = run(folder, "--plain", "--files", typed=typed.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode()
    assert said.startswith("There is no answer yet.\n")
    assert said.count("[1] Annual leave (") >= 1
    assert "A new conversation." in said
    assert said.splitlines()[-1].startswith("/no/such/plan.pdf: ")
    assert "On-call" not in said
    assert run(folder, "--json", typed=b"/quit\n").stdout.count(b"\n") == 1


def test_what_somebody_else_wrote_into_a_pipe_reads_no_file_of_this_machine(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("# Vault\n\nThe vault opens with the word hollyhock.")
    typed = f"/attach {secret}\n /ATTACH\t{secret}\nwhich word opens the vault?\n/quit\n{QUESTION}\n".encode()
    done = run(folder, "--plain", typed=typed)
    said = done.stdout.decode()
    assert said.count("Nothing was read: in a pipe, /attach reads files of this machine only where --files") == 2
    assert ("hollyhock" in said, "goes along with" in said, "Annual leave (" in said) == (False, False, False)
    assert "hollyhock" in run(folder, "--plain", "--files", typed=typed).stdout.decode()


def test_what_is_not_answered_is_said_on_standard_error(folder: Path) -> None:
    done = run(folder, "--ask", " ")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith("Your message arrived empty.")
    assert done.stderr.count(b"\n") == 1
    done = run(folder, "--ask", "-", "--json", typed=b"x" * 1_000_000)
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, b"")
    assert (said["mode"], said["grounded"], said["citations"]) == ("notice", False, [])
    assert said["answer"].startswith("Your message has 1,000,000 characters")


def test_a_folder_of_pages_that_is_away_is_said_to_a_script_too(folder: Path, tmp_path: Path) -> None:
    """Otherwise a slip in its name would read as pages that know nothing."""
    done = run(folder, "--ask", QUESTION, BARTIZAN_KNOWLEDGE__FOLDER=str(tmp_path / "away"))
    assert done.stderr.decode() == "folder: there is no such folder\n"


def test_a_data_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(tmp_path / "file" / "data", "--ask", QUESTION)
    assert done.returncode != 0
    assert done.stderr.decode() == f"bartizan: {tmp_path}/file/data cannot be used: Not a directory\n"


def test_when_the_reader_hangs_up_the_chat_ends(folder: Path) -> None:
    with subprocess.Popen([*COMMAND, "--plain"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(folder)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(f"{QUESTION}\n".encode())
        process.stdin.flush()           # and the input stays open
        assert process.wait(30) == 1
        assert process.stderr.read() == b""


@dataclass(slots=True)
class Window:
    """A terminal with the program in it, seen as a person sees it."""

    child: pexpect.spawn
    recording: bytearray = field(default_factory=bytearray)     # every byte that was sent to it
    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(WIDTH, HEIGHT))
    stream: pyte.ByteStream = field(init=False)

    def __post_init__(self) -> None:
        self.stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def until(self, holds: Callable[[str], object]) -> str:
        for _ in range(600):
            if holds(self.text):
                return self.text
            try:
                sent = self.child.read_nonblocking(65536, timeout=0.05)
                self.recording += sent
                self.stream.feed(sent)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        assert holds(self.text), self.text
        return self.text

    def types(self, line: str) -> None:
        self.child.send(f"{line}\r")

    def ends(self) -> int | None:
        self.until(lambda _: not self.child.isalive())
        return self.child.exitstatus


@contextmanager
def a_window(folder: Path, *arguments: str, **more: str) -> Iterator[Window]:
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *arguments], env=environment(folder, **more),  # type: ignore[arg-type]
                          dimensions=(HEIGHT, WIDTH), timeout=30)
    try:
        yield Window(child)
    finally:
        child.close(force=True)


def ready(text: str) -> bool:
    return text.endswith("\n›")


def test_a_chat_streams_stops_and_after_a_kill_goes_on(folder: Path) -> None:
    with a_model(chunks=400, delay_ms=50) as url, a_window(folder, BARTIZAN_MODEL__URL=url) as window:
        window.until(ready)
        window.types(QUESTION)
        window.until(lambda text: "q-" in text and "[1]. Noted." in text)       # nowhere near its end
        window.types("what happens when I am sick?")
        window.until(lambda text: "  › what happens when I am sick?" in text)
        window.child.sendcontrol("c")
        window.until(lambda text: "Stopped." in text and "\n› what happens when I am sick?" in text)
        window.types("/wat")
        window.until(lambda text: "I do not know /wat." in text and text.count("q-") == 2)
        window.child.kill(signal.SIGKILL)
    with a_model(chunks=30, delay_ms=10) as url, a_window(folder, BARTIZAN_MODEL__URL=url) as window:
        text = window.until(lambda text: "[1] Sick leave" in text and ready(text))
        assert text.count("Going on with: what happens when I am sick?") == text.count("q-") == 1
        assert QUESTION not in text     # that one was stopped
        window.types("/sources")
        window.until(lambda text: "10:00 local time" in text)
        window.child.sendcontrol("c")
        assert window.ends() == 0


def test_a_plain_terminal_has_no_cursor_movement(folder: Path) -> None:
    with a_window(folder, TERM="dumb") as window:
        window.until(lambda text: text.endswith("\n>"))
        window.child.sendline(QUESTION)
        text = window.until(lambda text: "[1] Annual leave (2026-01-12)" in text and text.endswith("\n>"))
        assert "▌" not in text
        window.child.sendeof()
        assert window.ends() == 0


def test_who_wants_no_colour_gets_none(folder: Path) -> None:
    """`NO_COLOR` is for both: the library that prints, and the one that has the line to type on."""
    with a_window(folder, NO_COLOR="1", TERM="xterm-256color") as window:
        window.until(ready)
        window.types(QUESTION)
        window.until(lambda text: "[1] Annual leave" in text and ready(text))
        window.child.sendeof()
        assert window.ends() == 0
        codes = {code for each in re.findall(rb"\x1b\[([0-9;]*)m", window.recording) for code in each.split(b";")}
        assert codes <= {b"", b"0", b"1", b"2", b"39", b"49"}


def test_one_question_streams_into_a_terminal_and_ctrl_c_ends_it(folder: Path) -> None:
    with (
        a_model(chunks=400, delay_ms=50) as url,
        a_window(folder, "--ask", QUESTION, BARTIZAN_MODEL__URL=url) as window,
    ):
        window.until(lambda text: "Noted." in text)
        window.child.sendcontrol("c")
        assert window.ends() == 130
        assert "Traceback" not in window.text


OPENING = "Annual leave is asked for in the people portal, and the notice depends on how many days you want to take. "
DEFLECTIONS = [
    "Sorry, that's beyond my current scope. Let's talk about something else.",
    "你好，这个问题我暂时无法回答，让我们换个话题再聊聊吧。",
]


def guard(folder: Path, *arguments: str) -> str:
    """What an operator reads of `bartizan guard ...`."""
    done = subprocess.run([sys.executable, "-m", "bot", "guard", *arguments], env=environment(folder), check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def written(recording: bytes) -> str:
    """All characters that were written to the terminal, in their order, whatever became of them on the screen.

    White space is left out: between two words, or in one, the cursor may have moved.
    """
    return squeezed(ESCAPES.sub("", recording.decode("utf-8", "replace")))


def squeezed(text: str) -> str:
    """The text without its white space."""
    return "".join(text.split())


def pieces_of(line: str) -> set[str]:
    """Every four letters of it, or two ideographs."""
    size, line = 4 if line.isascii() else 2, squeezed(line)
    return {line[at : at + size] for at in range(len(line) - size + 1) if line[at : at + size].strip(".,")}


@pytest.mark.parametrize("line", DEFLECTIONS)
def test_a_script_in_mid_answer_is_never_written_to_the_terminal_and_a_second_model_answers(
    folder: Path, line: str,
) -> None:
    with (
        a_model(0, 20, say=OPENING + line) as first, a_model(0, 2, say="Five working days are enough [1].") as second,
        a_window(folder, BARTIZAN_MODEL__URL=first, BARTIZAN_SECOND__URL=second) as window,
    ):
        window.until(ready)
        window.types(QUESTION)
        text = window.until(lambda text: "[1] Annual leave" in text and ready(text))
    assert "Five working days are enough [1]." in text
    said = written(window.recording)
    assert "Annualleaveisaskedforinthepeople" in said     # what stood before it did stream
    ours = {piece for piece in pieces_of(line) if piece in squeezed(OPENING + text)}
    assert not {piece for piece in pieces_of(line) - ours if piece in said}


def test_with_nobody_else_to_ask_the_companys_sentence_stands_there(folder: Path) -> None:
    policy = folder / "policy.yaml"
    policy.write_text('texts:\n  en: "Acme cannot answer this here. Quote {trace} to the service desk."\n')
    line = DEFLECTIONS[0]
    with (
        a_model(0, 20, say=OPENING + line) as only,
        a_window(folder, BARTIZAN_MODEL__URL=only, BARTIZAN_GUARDS__POLICY=str(policy)) as window,
    ):
        window.until(ready)
        window.types(QUESTION)
        text = window.until(lambda text: "service desk" in text and ready(text))
        said = written(window.recording)
        window.types("/wrong I asked about my own leave")
        window.until(lambda text: "Noted. Whoever looks after the guards will look at it." in text)
    (lodged,) = json.loads(guard(folder, "appeals", "list", "--json"))
    assert (lodged["by"], lodged["note"]) == ("local", "I asked about my own leave")
    assert re.search(r" out +deflection .* reroute .* deflection/canned_line ", guard(folder, "why", lodged["trace"]))
    guard(folder, "appeals", "file", lodged["trace"][:8], "--by", "local", "--note", "my own leave, no secret")
    (lodged,) = json.loads(guard(folder, "appeals", "list", "--json"))
    assert lodged["note"] == "my own leave, no secret"
    guard(folder, "appeals", "overturn", lodged["trace"])
    (row,) = map(json.loads, guard(folder, "appeals", "export", "--with-text").splitlines())
    assert (row["label"], row["category"], row["prompt"]) == ("allow", "deflection", QUESTION)
    assert re.search(r"Acme cannot answer this here. Quote [0-9a-f]{32} to the\s+service desk\.\n", text)
    assert "Reference" not in text
    assert "Annualleaveisaskedforinthepeople" in said
    ours = {piece for piece in pieces_of(line) if piece in squeezed(OPENING + text)}
    assert not {piece for piece in pieces_of(line) - ours if piece in said}
