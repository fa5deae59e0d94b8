"""A repository is read at a commit, whatever its configuration would like to start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

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
