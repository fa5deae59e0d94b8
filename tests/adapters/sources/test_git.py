"""A repository is read at a commit, whatever its configuration would like to start."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from adapters.sources.git import Git
from engine.rag.page import Changes, Entry, Form, Page, Unreadable


class Repository:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *command: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=Ann", "-c", "user.email=ann@acme.example", "-c", "commit.gpgSign=false", *command],
            cwd=self.root, check=True, capture_output=True, text=True,
            env={"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_COMMITTER_DATE": "2026-03-02T12:00:00Z"},
        ).stdout

    def commit(self, **files: str | None) -> str:
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink() if text is None else path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "work")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "app")
    made.commit(README_md="# App\n", src__main_py="def main(): ...\n", logo_png="x", docs__leave_md="# Leave\n")
    return made


class Remote(SimpleHTTPRequestHandler):
    """A repository as plain files, for whoever comes with the right token."""

    token = "right"
    refusal = 401

    def do_GET(self) -> None:
        if self.headers["Authorization"] == f"Bearer {self.token}":
            super().do_GET()
        else:
            self.send_error(self.refusal)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(repository: Repository, **state: object) -> Iterator[tuple[str, type[Remote]]]:
    """Its address, and what may be changed about it."""
    repository.git("update-server-info")
    remote = type("Changed", (Remote,), state)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(remote, directory=str(repository.root / ".git"))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", remote
        finally:
            server.shutdown()
            thread.join()


def listed(source: Git) -> list[str]:
    return [entry.path for entry in source.listing() if isinstance(entry, Entry)]


def the_page(source: Git, path: str) -> Page:
    page = source.read(path)
    assert isinstance(page, Page), page
    return page


def test_a_commit_is_listed_and_read(repository: Repository) -> None:
    source = Git("app", repository.root, url="https://git.acme.example/app/blob/main/{path}")
    assert source.cursor()
    assert listed(source) == ["README.md", "docs/leave.md", "src/main.py"]
    (repository.root / "README.md").write_text("not committed")
    page = the_page(source, "README.md")
    assert (page.text, page.url, f"{page.date}") == (
        "# App\n", "https://git.acme.example/app/blob/main/README.md", "2026-03-02 12:00:00+00:00")
    assert the_page(source, "src/main.py").form is Form.PYTHON


def test_the_difference_of_two_commits(repository: Repository) -> None:
    source = Git("app", repository.root)
    before = source.cursor()
    repository.commit(README_md="# App 2\n", src__main_py=None, src__new_py="pass\n")
    assert source.cursor() != before
    changes = source.changes(before)
    assert isinstance(changes, Changes)
    assert sorted(e.path for e in changes.touched if isinstance(e, Entry)) == ["README.md", "src/new.py"]
    assert changes.gone == ("src/main.py",)
    assert the_page(source, "src/new.py").text == "pass\n"


def test_other_settings_or_another_history_are_listed_anew(repository: Repository) -> None:
    before = Git("app", repository.root).cursor()
    other = Git("app", repository.root, under="docs")
    assert other.cursor()
    assert other.changes(before) is None
    assert listed(other) == ["docs/leave.md"]
    again = Git("app", repository.root)
    again.cursor()
    assert again.changes(f"{'0' * 40} {before.partition(' ')[2]}") is None
    assert again.changes("--output=/tmp/x y") is None


def test_links_and_submodules_are_no_pages(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("the secret")
    (repository.root / "out.md").symlink_to(tmp_path / "secret.md")
    repository.commit()
    source = Git("app", repository.root)
    before = source.cursor()
    assert "out.md" not in listed(source)
    assert isinstance(source.read("out.md"), Unreadable)
    (repository.root / "README.md").unlink()
    (repository.root / "README.md").symlink_to(tmp_path / "secret.md")
    repository.commit()
    source.cursor()
    assert source.changes(before) == Changes((), ("README.md",))


def test_nothing_that_the_repository_names_is_started(repository: Repository, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "filter.evil.smudge",
                "filter.evil.clean", "gpg.program", "core.sshCommand", "core.askPass", "credential.helper",
                "uploadpack.packObjectsHook", "core.editor"):
        repository.git("config", key, str(trap))
    repository.git("config", "log.showSignature", "true")
    (repository.root / ".gitattributes").write_text("*.md diff=evil filter=evil\n")
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        path = repository.root / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(trap.read_text())
        path.chmod(0o755)
    source = Git("app", repository.root)
    before = source.cursor()
    assert listed(source)
    assert the_page(source, "README.md").text == "# App\n"
    assert source.changes(before) == Changes((), ())
    assert not (tmp_path / "sprung").exists()


def test_a_remote_is_fetched_and_may_be_away(repository: Repository, tmp_path: Path) -> None:
    source = Git("app", tmp_path / "ours", branch="main", remote=repository.root.as_uri())
    before = source.cursor()
    assert listed(source) == ["README.md", "docs/leave.md", "src/main.py"]
    repository.commit(README_md="# App 2\n")
    source.cursor()
    assert source.changes(before) == Changes(tuple(e for e in source.listing() if "README" in e.path), ())
    assert the_page(source, "README.md").text == "# App 2\n"
    repository.root.rename(tmp_path / "away")
    assert source.cursor() == ""
    assert list(source.listing()) == [Unreadable("", "the remote does not answer")]


ASKED = ("the remote does not let us in: it asks who we are: name a file that holds a token for it, as token_file in "
         "sources.toml")
REFUSED = "the remote does not let us in: its token is refused: put one that may read it into its token file"


@pytest.mark.parametrize(("token", "status", "said"), [
    ("", 401, (ASKED, True)), ("s3cret", 401, (REFUSED, True)), ("s3cret", 403, (REFUSED, True)),
    ("", 403, (ASKED, True)),
    ("s3cret", 404, ( "the remote has no such repository, or does not show it to us: see its address and token", True)),
    ("s3cret", 500, ("the remote does not answer", False)),
])
def test_a_remote_that_does_not_let_us_in_is_not_one_that_is_away(
    repository: Repository, tmp_path: Path, token: str, status: int, said: tuple[str, bool],
) -> None:
    with served(repository, refusal=status) as (address, remote):
        ours = Git("app", tmp_path / "ours", branch="main", remote=address, token="right")
        assert ours.cursor()
        assert listed(ours) == ["README.md", "docs/leave.md", "src/main.py"]
        remote.token = "a new one"
        source = Git("app", tmp_path / "ours", branch="main", remote=address, token=token)
        assert source.cursor() == ""
        entry, = source.listing()
    assert isinstance(entry, Unreadable)
    assert (entry.path, entry.gone, (entry.why, entry.barred)) == ("", False, said)
    assert "s3cret" not in f"{entry} {source}"


@pytest.mark.parametrize(("said", "why"), [
    (b"git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.\n",
     "the remote does not let us in: the account that runs Bartizan has no SSH key that may read it"),
    (b"remote: fatal: Authentication failed\nremote: x: Permission denied (publickey)\nfatal: early EOF\n",
     "the remote does not answer"),
    (b"ssh: connect to host git.example port 22: Connection refused\n", "the remote does not answer"),
    (b"ERROR: Repository not found.\nfatal: Could not read from remote repository.\n", "the remote does not answer"),
])
def test_what_git_says_of_the_remote_counts_and_not_what_the_remote_says(
    tmp_path: Path, said: bytes, why: str,
) -> None:
    assert str(Git("app", tmp_path)._unfetched(said)) == why


@pytest.mark.parametrize("said", [
    b"ERROR: Repository not found.\nfatal: Could not read from remote repository.\n",
    b"remote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\n",
])
def test_over_ssh_only_the_remote_can_say_that_it_does_not_let_us_in(tmp_path: Path, said: bytes) -> None:
    """One that lies hides its own pages and nobody else's."""
    failed = Git("app", tmp_path, remote="ssh://git@git.example/acme/app.git")._unfetched(said)
    assert str(failed).startswith("the remote has no such repository, or does not show it to us")


def test_where_no_repository_is(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        source = Git("app", place)
        assert source.cursor() == ""
        entry, = source.listing()
        assert isinstance(entry, Unreadable)
        assert entry.path == ""
    odd = Git("app", tmp_path / "new", remote="ext::sh -c 'touch sprung'")
    odd.cursor()
    assert list(odd.listing()) == [Unreadable("", "its address is none that may be fetched")]


def test_what_lies_in_lfs_is_named_and_no_page(repository: Repository) -> None:
    repository.commit(big_md="version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
                      about_md="version https://git-lfs.github.com/spec/v1\n" + "is how a pointer begins. " * 50)
    source = Git("app", repository.root)
    source.cursor()
    assert source.read("big.md") == Unreadable("big.md", "is kept in Git LFS and not in the repository")
    assert "how a pointer begins" in the_page(source, "about.md").text


def test_a_submodule_is_no_page(repository: Repository) -> None:
    commit = repository.git("rev-parse", "HEAD").strip()
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},library.md")
    repository.git("commit", "--quiet", "--message", "a submodule")
    source = Git("app", repository.root)
    source.cursor()
    assert "library.md" not in listed(source)
    assert source.read("library.md") == Unreadable("library.md", "is not in the repository any more")


def test_a_history_that_was_rewritten_is_followed(repository: Repository, tmp_path: Path) -> None:
    source = Git("app", tmp_path / "ours", branch="main", remote=repository.root.as_uri())
    before = source.cursor()
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit(README_md="# Rewritten\n", docs__leave_md=None)
    repository.git("branch", "--force", "main", "other")
    assert source.cursor()
    changes = source.changes(before)
    assert changes is not None
    assert [entry.path for entry in changes.touched] == ["README.md"]
    assert changes.gone == ("docs/leave.md",)
    assert the_page(source, "README.md").text == "# Rewritten\n"
    assert Git("app", tmp_path / "fresh", branch="main", remote=repository.root.as_uri()).cursor()


def test_a_file_that_was_renamed_is_another_one(repository: Repository) -> None:
    source = Git("app", repository.root)
    before = source.cursor()
    repository.git("mv", "README.md", "readme.md")
    repository.git("commit", "--quiet", "--message", "case only")
    source.cursor()
    changes = source.changes(before)
    assert changes is not None
    assert ([entry.path for entry in changes.touched], changes.gone) == (["readme.md"], ("README.md",))


@pytest.mark.parametrize("remote", [True, False])
def test_a_branch_that_vanished_and_a_repository_without_a_commit_say_so(
    repository: Repository, tmp_path: Path, remote: bool,
) -> None:
    def why(root: Path, branch: str) -> tuple[str, bool]:
        place = tmp_path / f"ours-{root.name}" if remote else root
        source = Git("app", place, branch, root.as_uri() if remote else "")
        assert source.cursor() == ""
        said, = source.listing()
        assert isinstance(said, Unreadable)
        return said.why, said.gone

    assert why(repository.root, "release") == ("it has no branch release", True)
    empty = Repository(tmp_path / "empty")
    assert why(empty.root, "HEAD") == ("it has no commit yet", True)
    shutil.rmtree(empty.root / ".git")
    assert not why(empty.root, "HEAD")[1]


def test_a_fetch_that_was_killed_stands_in_nobodys_way(repository: Repository, tmp_path: Path) -> None:
    source = Git("app", tmp_path / "ours", branch="main", remote=repository.root.as_uri())
    before = source.cursor()
    (tmp_path / "ours" / "refs" / "heads" / "fetched.lock").write_text("")
    repository.commit(README_md="# App 2\n")
    assert source.cursor() not in {"", before}
