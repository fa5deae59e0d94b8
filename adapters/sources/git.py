"""A git repository, read through the `git` program at one commit; nothing is ever checked out.

A repository is a program: its configuration names hooks, pagers, filters and helpers. None of them runs here: only
plumbing is called, with the options that could start something switched off, and without a network unless a remote
is configured. That is fetched into a bare repository of our own.

Where the remote asks who we are, nobody finds what we have of it until it lets us in again, as with a site.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from urllib.parse import quote, urlsplit

from adapters.files.folder import page
from adapters.parsing.media import CODE, DOCUMENTS
from adapters.parsing.parser import LARGEST_DOCUMENT, Parser
from adapters.sources.credentials import let_in
from engine.rag.page import Changes, Entry, Page, Unreadable

PATIENCE: Final = 120.0         # seconds for one call
FETCHING: Final = 900.0
HISTORY: Final = 20_000         # commits that are looked through for the dates of files
LARGEST_POINTER: Final = 1_024  # bytes of what stands for a file that lies in Git LFS
SCHEMES: Final = ("https", "http", "ssh", "file")
_FILES: Final = ("100644", "100755")        # no links, no submodules
_SAFE: Final = (
    "--no-pager", "--no-replace-objects", "--literal-pathspecs",
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.askPass=", "-c", "credential.helper=",
    "-c", "log.showSignature=false", "-c", "core.quotePath=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "submodule.recurse=false", "-c", "safe.directory=*", "-c", "fetch.fsckObjects=true",
    "-c", "protocol.ext.allow=never",
)
_LFS: Final = b"version https://git-lfs.github.com/spec/"
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
SAID: Final = 8_000             # bytes at the end of what git says that are looked into
_REFUSED: Final = re.compile(
    rb"^fatal: (?:Authentication failed|could not read (?:Username|Password))"
    rb"|^(?:fatal|error): [^\n]*The requested URL returned error: 40[13]\b", re.MULTILINE)
_NO_KEY: Final = re.compile(rb"^(?!remote:)[^\n]*: Permission denied \([a-z,-]+\)", re.MULTILINE)
_NOT_THERE: Final = re.compile(rb"^fatal: repository '[^\n]*' not found", re.MULTILINE)
"""None of these stands in what a remote says itself: git puts "remote:" before that."""
_SAID_TO_SSH: Final = re.compile(
    rb"^(?:remote: )?ERROR: [^\n]*(?:not found|could not be found|permission)", re.MULTILINE | re.IGNORECASE)
"""Of a remote by SSH, which nobody else says it for; whoever lies here hides its own pages, and no others."""


class GitError(Exception):
    """What git said is not repeated: it may hold an address with a password."""


class _NoCommit(GitError):
    """The repository is there, and has nothing."""


class _Refused(GitError):
    """The remote does not let us in."""


@dataclass(frozen=True, slots=True)
class Git:
    """A source. ``place``: a local repository, or, with ``remote``, where our own copy of it is to lie.

    ``url``: where a reader opens a file; ``{commit}`` and ``{path}`` are filled in, ``.../blob/main/{path}``.
    ``under``: only this folder of it. ``token`` is sent to an HTTP remote as a bearer token.
    """

    name: str
    place: Path
    branch: str = "HEAD"
    remote: str = ""
    url: str = ""
    under: str = ""
    token: str = field(default="", repr=False)
    suffixes: tuple[str, ...] = (*DOCUMENTS, *CODE)
    parser: Parser = field(default_factory=Parser, compare=False)
    _state: dict[str, str] = field(default_factory=dict, compare=False)         # "commit", "why", "bare", "barred"
    _blobs: dict[str, tuple[str, int]] = field(default_factory=dict, compare=False)     # sha and size
    _dates: dict[str, datetime] = field(default_factory=dict, compare=False)

    def cursor(self) -> str:
        """Fetches, where a remote is configured, and names the commit and how its files are shown."""
        self._state.clear()
        self._blobs.clear()
        self._dates.clear()
        try:
            if self.remote:
                self._fetched()
            self._state["commit"] = self._head()
        except GitError as error:
            self._state.update(why=str(error), bare="yes" if isinstance(error, _NoCommit) else "",
                               barred="yes" if isinstance(error, _Refused) else "")
            return ""
        return f"{self._state['commit']} {self._shown}"

    def changes(self, cursor: str) -> Changes | None:
        """The difference between two trees."""
        commit = self._state.get("commit", "")
        old, _, shown = cursor.partition(" ")
        if not commit or not _SHA.fullmatch(old) or "{commit}" in self.url or self._shown != shown:
            return None
        try:
            self._run("cat-file", "-e", f"{old}^{{commit}}")
            raw = self._run("diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", old, commit,
                            *self._limits)
            self._date(f"{old}..{commit}")
        except GitError:
            return None         # rewritten or shallow history: list it all
        touched: list[Entry | Unreadable] = []
        gone: list[str] = []
        fields = raw.split("\0")
        for head, path in zip(fields[::2], fields[1::2], strict=False):
            _, mode, _, blob, status = head.removeprefix(":").split(" ")
            if not self._wanted(path):
                continue
            if status.startswith("D") or mode not in _FILES:
                gone.append(path)
            else:
                touched.append(self._entry(path, blob))
        return Changes(tuple(touched), tuple(gone))

    def listing(self) -> Iterator[Entry | Unreadable]:
        """Every file of the commit that `cursor` found."""
        commit = self._state.get("commit")
        if not commit:
            why = self._state.get("why") or "the repository was not looked at"
            yield Unreadable("", why, gone=bool(self._state.get("bare")), barred=bool(self._state.get("barred")))
            return
        try:
            raw = self._run("ls-tree", "-r", "-z", "--long", "--full-tree", commit, *self._limits)
        except GitError as error:
            yield Unreadable("", str(error))
            return
        for line in raw.split("\0"):
            head, _, path = line.partition("\t")
            if not path or not self._wanted(path):
                continue
            mode, _, blob, size = head.split()
            if mode in _FILES:
                self._blobs[path] = (blob, int(size) if size.isdigit() else 0)
                yield self._entry(path, blob)

    def read(self, path: str) -> Page | Unreadable:
        """One file, as it is in the commit."""
        commit = self._state.get("commit", "")
        if "\ufffd" in path:
            return Unreadable(path, "its name is not UTF-8", lasting=True)
        try:
            blob, size = self._blobs.get(path) or self._blob(commit, path)
            if size > LARGEST_DOCUMENT:
                return Unreadable(path, f"is larger than {LARGEST_DOCUMENT:,} bytes", lasting=True)
            raw = self._bytes("cat-file", "blob", blob)
            if raw.startswith(_LFS) and len(raw) < LARGEST_POINTER:
                return Unreadable(path, "is kept in Git LFS and not in the repository", lasting=True)
            if not self._dates:
                self._date(commit)
        except GitError as error:
            return Unreadable(path, str(error))
        return page(self.parser, path, raw, url=self._url(path), date=self._dates.get(path))

    def close(self) -> None:
        """Ends the parser's process."""
        self.parser.close()

    @property
    def _ref(self) -> str:
        return "refs/heads/fetched" if self.remote else self.branch

    @property
    def _shown(self) -> str:
        return sha256("\0".join((self.url, self.under, *self.suffixes)).encode()).hexdigest()[:16]

    @property
    def _limits(self) -> tuple[str, ...]:
        return ("--", self.under.strip("/")) if self.under.strip("/") else ()

    def _wanted(self, path: str) -> bool:
        hidden = any(part.startswith(".") for part in path.split("/"))
        return not hidden and path.lower().endswith(self.suffixes)

    def _entry(self, path: str, blob: str) -> Entry:
        return Entry(path, blob, self._url(path))

    def _url(self, path: str) -> str:
        if not self.url:
            return "" if self.remote else Path(os.path.realpath(self.place), path).as_uri()
        return self.url.replace("{commit}", self._state.get("commit", "")).replace("{path}", quote(path))

    def _blob(self, commit: str, path: str) -> tuple[str, int]:
        line, _, _ = self._run("ls-tree", "-z", "--long", "--full-tree", commit, "--", path).partition("\0")
        parts = line.partition("\t")[0].split()
        if len(parts) != 4 or parts[0] not in _FILES:
            raise GitError("is not in the repository any more")
        return parts[2], int(parts[3])

    def _date(self, span: str) -> None:
        """When each file was last changed: the newest commit that touched it."""
        raw = self._run("log", "-z", "--no-renames", "--no-ext-diff", "--name-only", f"--max-count={HISTORY}",
                        "--format=%x01%ct", span, *self._limits)
        when = datetime.fromtimestamp(0, UTC)
        for part in re.split(r"[\0\n]+", raw):
            if part.startswith("\x01"):
                when = datetime.fromtimestamp(int(part[1:]), UTC)
            elif part:
                self._dates.setdefault(part, when)

    def _head(self) -> str:
        try:
            return self._run("rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}").strip()
        except GitError as error:
            self._run("rev-parse", "--git-dir")         # a repository at all?
            raise _NoCommit(self._lacks) from error

    @property
    def _lacks(self) -> str:
        return "it has no commit yet" if self.branch == "HEAD" else f"it has no branch {self.branch}"

    def _fetched(self) -> None:
        if urlsplit(self.remote).scheme not in SCHEMES or self.remote.startswith("-"):
            raise GitError("its address is none that may be fetched")
        if not (self.place / "HEAD").exists():
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._bytes("init", "--quiet", "--bare", "--template=", ".")
        for left in self.place.rglob("*.lock"):         # by a fetch that was killed; nobody else fetches into it
            left.unlink(missing_ok=True)
        branch = self.branch if self.branch == "HEAD" else f"refs/heads/{self.branch}"
        try:
            self._bytes("fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
                        "--", self.remote, f"+{branch}:refs/heads/fetched", patience=FETCHING, network=True)
        except _Refused:
            raise
        except GitError as error:
            if branch in self._bytes("ls-remote", "--", self.remote, branch, network=True).decode("utf-8", "replace"):
                raise
            raise _NoCommit(self._lacks) from error

    def _run(self, *command: str) -> str:
        return self._bytes(*command).decode("utf-8", "replace")

    def _bytes(self, *command: str, patience: float = PATIENCE, network: bool = False) -> bytes:
        program = shutil.which("git")
        if program is None:
            raise GitError("the git program is not installed")
        try:
            with TemporaryFile() as errors:     # a remote may talk without end
                done = subprocess.run(  # noqa: S603 - our own arguments; none can be taken for an option
                    [program, *_SAFE, *command], cwd=self.place, env=self._environment(network=network),
                    timeout=patience, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=errors if network else subprocess.DEVNULL, check=False,
                )
                errors.seek(max(0, errors.seek(0, os.SEEK_END) - SAID))
                said = errors.read()
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git takes longer than {patience:g} s") from error
        except OSError as error:
            raise GitError(f"the repository cannot be used: {error.strerror}") from error
        if done.returncode and network:
            raise self._unfetched(said)
        if done.returncode:
            raise GitError(f"git {command[0]} fails here")
        return done.stdout

    def _unfetched(self, said: bytes) -> GitError:
        """What is wrong with the remote, in our words."""
        if _REFUSED.search(said):
            return _Refused(f"the remote does not let us in: {let_in(self.token)}")
        if _NO_KEY.search(said):
            return _Refused("the remote does not let us in: the account that runs Bartizan has no SSH key that may "
                            "read it")
        if _NOT_THERE.search(said) or (urlsplit(self.remote).scheme == "ssh" and _SAID_TO_SSH.search(said)):
            return _Refused("the remote has no such repository, or does not show it to us: see its address and token")
        return GitError("the remote does not answer")

    def _environment(self, *, network: bool) -> dict[str, str]:
        safe = {
            "PATH": os.defpath, "HOME": str(Path.home()) if network else "/nonexistent", "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES) if network else "",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        }
        if network and self.token:      # in the environment, so that no list of processes shows it
            safe |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader",
                     "GIT_CONFIG_VALUE_0": f"Authorization: Bearer {self.token}"}
        return safe
