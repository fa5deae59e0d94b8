"""`policy.yaml`: read, checked, explained by line, and read again when it changes.

`PolicyFile.current` is always a whole policy. A file that is wrong, half written or gone leaves the one before it in
force, and says so in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, NoReturn

import structlog
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from adapters.guardmodels.families import FAMILIES
from adapters.nemo.stage import NAME as NEMO
from adapters.policy import lines
from engine.errors import BotError
from engine.guards.harm import UNSAFE
from engine.guards.normalise import letters
from engine.guards.orders import SIGNS
from engine.guards.personal import SHAPES
from engine.guards.policy import (
    GUARDS,
    TRACE,
    Action,
    Category,
    Change,
    FailMode,
    Layer,
    Pattern,
    Policy,
    Topic,
    Where,
)
from engine.guards.subjects import POLITICAL
from engine.guards.terms import BadPattern, compiled

log = structlog.get_logger()

POLL: Final = 2.0
"""Seconds between two looks at the file."""
_RULES: Final[Mapping[str, frozenset[str]]] = {
    Category.PERSONAL: frozenset({"list", *FAMILIES, *(shape.rule for shape in SHAPES)}),
    Category.PROTECTED_TERM: frozenset({"term", "mark"}),
    Category.INJECTION: frozenset({"passage", "classifier", "stray", *FAMILIES, *(sign.rule for sign in SIGNS),
                                   *(f"encoded_{kind}" for kind in ("base64", "hex", "url", "rot13", "tags"))}),
    Category.POLITICAL: frozenset({"classifier", *FAMILIES, *(sign.rule for sign in POLITICAL)}),
    Category.UNSAFE: frozenset({"classifier", NEMO, *FAMILIES, *(sign.rule for sign in UNSAFE)}),
    Category.DEFLECTION: frozenset({"canned_line", "deflection", "late_deflection", *FAMILIES}),
    Category.REFUSAL: frozenset({"refusal", "late_refusal", *FAMILIES}),
    Category.NARRATIVE: frozenset({"narrative", "late_narrative"}),
    Category.LEAK: frozenset({"system_prompt"}),
    Category.MENTION: frozenset({"mention"}),
    Category.LINK: frozenset({"link", "picture"}),
    Category.UNGROUNDED: frozenset({"claim"}),
}
"""Single rules, where their names are known beforehand. What a guard model finds has its family's name."""
_NOT_OF_ANSWERS: Final = frozenset({Category.PROTECTED_TERM, Category.PATTERN, Category.TOPIC, Category.BACKEND})
"""What nothing finds in an answer, or what no rule is asked about."""
MEASURES: Final[Mapping[str, str]] = {
    "secret": "in: secrets", "secret_lookalike": "in: secret look-alikes", "protected_term": "in: protected terms",
    "unsafe": "in: unsafe at 2 % over-block", "political": "in: political at 2 % over-block",
    "jailbreak": "in: jailbreak at 1 %", "indirect_injection": "in: indirect injection at 1 %",
    "deflection": "out: known canned lines", "unseen_deflection": "out: unseen canned lines",
    "narrative": "out: regional narrative", "refusal": "out: refusal", "outbound": "out: all without soft",
    "quote": "out: false alarms on quotes",
}
"""What a target may be called, beside the name of a line of the evaluation itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a file cannot be used. ``line`` counts from 1; ``key`` is dotted, empty for the whole."""

    path: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        """As a compiler would print it."""
        return f"{self.path}:{self.line}: " + (f"{self.key}: " if self.key else "") + self.reason


class PolicyError(BotError):
    """The policy cannot be used; `problems` are all the reasons."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n  ".join((f"the policy cannot be used ({len(problems)}):", *map(str, problems))))
        self.problems = tuple(problems)


# --- what a file may hold


def _did_you_mean(said: str, known: Sequence[str]) -> str:
    if near := get_close_matches(said.lower(), known, 1, 0.6):
        return f"; did you mean {near[0]}?"
    return f"; it can be {', '.join(sorted(known))}" if 0 < len(known) < 20 else ""


def _wrong(reason: str) -> NoReturn:
    raise ValueError(reason)


def _rule_key(key: str) -> str:
    category, dot, rule = key.partition(".")
    if category not in tuple(Category):
        _wrong(f"no category{_did_you_mean(category, tuple(Category))}")
    if dot and rule not in _RULES.get(category, {rule} - {""}):
        known = tuple(f"{category}.{name}" for name in _RULES.get(category, ()))
        _wrong(f"no rule of that name{_did_you_mean(key, known)}")
    return key


def _outbound_key(key: str) -> str:
    """A rule that nothing asks for would look like protection and be none."""
    category, _, rule = _rule_key(key).partition(".")
    if category in _NOT_OF_ANSWERS:
        _wrong("no rule for answers: nothing would follow from it")
    if category == Category.PERSONAL and rule == "list":
        _wrong("no rule for answers: its first entries stand there before it is a list; say what becomes of "
               "personal.email and personal.phone")
    return key


def _measure(name: str) -> str:
    """The line of the evaluation. A target that is none would be reached by every guard."""
    if name in MEASURES:
        return MEASURES[name]
    return name if name.startswith(("in: ", "out: ")) else _wrong(
        f"no measure{_did_you_mean(name, tuple(MEASURES))}")


def _guard(name: str) -> str:
    return name if name in GUARDS else _wrong(f"no guard{_did_you_mean(name, GUARDS)}")


def _action(said: object) -> object:
    if isinstance(said, str) and said not in tuple(Action):
        _wrong(f"no action{_did_you_mean(said, tuple(Action))}")
    return said


def _fail_mode(said: object) -> object:
    if not isinstance(said, str) or said not in tuple(FailMode):
        _wrong(f"no fail mode{_did_you_mean(str(said), tuple(FailMode))}")
    return said


def _in_short(said: object) -> object:
    """``personal: mask`` is short for ``personal: {action: mask}``."""
    return {"action": said} if isinstance(said, str) else said


def _listed(said: object) -> object:
    return [said] if isinstance(said, str) else said


def _term(written: str) -> str:
    plain = letters(written)
    if len(plain) < 2 and plain.isascii():
        _wrong("a term needs two letters or digits at least, or it is found everywhere")
    return written


def _pattern(written: str) -> str:
    try:
        found = compiled(written)
    except BadPattern as error:
        _wrong(f"RE2 does not take this pattern: {error}")
    if found.search("") is not None:
        _wrong("this pattern is met by nothing at all, so by every text")
    return written


def _language(name: str) -> str:
    return name if 2 <= len(name) <= 3 and name.isascii() and name.isalpha() and name.islower() else _wrong(
        "a language is two or three small letters, as in en or zh"
    )


def _branded(text: str) -> str:
    if TRACE not in text:
        _wrong("must hold {trace}, so that a person can say which refusal is meant")
    if "{" in text.replace(TRACE, ""):
        _wrong("{trace} is the only thing to be filled in")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, hide_input_in_errors=True)


_Action = Annotated[Action, BeforeValidator(_action)]
_Score = Annotated[float, Field(ge=0.0, le=1.0)]
_Words = Annotated[tuple[Annotated[str, AfterValidator(_term)], ...], Field(max_length=20_000)]
_Names = Annotated[frozenset[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")]


class _Change(_Part):
    action: _Action | None = None
    threshold: _Score | None = None
    grey: _Score | None = None
    shadow: Annotated[bool, Field(strict=True)] | None = None

    def change(self) -> Change:
        return Change(self.action, self.threshold, self.grey, self.shadow)


class _Pattern(_Change):
    name: _Name
    pattern: Annotated[str, AfterValidator(_pattern)]


class _Topic(_Change):
    name: _Name
    phrases: Annotated[_Words, Field(min_length=1)]


_Changes = dict[Annotated[str, AfterValidator(_rule_key)], Annotated[_Change, BeforeValidator(_in_short)]]
_Outbound = dict[Annotated[str, AfterValidator(_outbound_key)], Annotated[_Change, BeforeValidator(_in_short)]]
_Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_branded)]


class _Layer(_Part):
    categories: _Changes = Field(default_factory=dict)
    outbound: _Outbound = Field(default_factory=dict)
    failure: dict[Annotated[str, AfterValidator(_guard)], Annotated[FailMode, BeforeValidator(_fail_mode)]] = Field(
        default_factory=dict
    )
    terms: _Words = ()
    marks: _Words = ()
    patterns: tuple[_Pattern, ...] = ()
    topics: tuple[_Topic, ...] = ()
    texts: dict[Annotated[str, AfterValidator(_language)], _Text] = Field(default_factory=dict)
    routing: tuple[Annotated[str, Field(min_length=1)], ...] | None = None

    def layer(self, where: Where) -> Layer:
        return Layer(
            where,
            {key: part.change() for key, part in self.categories.items()},
            {key: part.change() for key, part in self.outbound.items()},
            dict(self.failure),
            self.terms,
            self.marks,
            tuple(Pattern(part.name, part.pattern, part.change()) for part in self.patterns),
            tuple(Topic(part.name, part.phrases, part.change()) for part in self.topics),
            dict(self.texts),
            self.routing,
        )


class _Scope(_Layer):
    workspace: _Names = frozenset()
    channel: _Names = frozenset()
    role: _Names = frozenset()


class _Document(_Layer):
    version: Annotated[int, Field(ge=1, le=1)] = 1
    targets: dict[Annotated[str, AfterValidator(_measure)], _Score] = Field(default_factory=dict)
    scopes: tuple[_Scope, ...] = ()

    def policy(self) -> Policy:
        scopes = (scope.layer(Where(scope.workspace, scope.channel, scope.role)) for scope in self.scopes)
        return Policy((self.layer(Where()), *scopes), dict(self.targets))


# --- reading it


def load_policy(path: Path, models: Collection[str] = ()) -> Policy:
    """The policy in a file. Raises `PolicyError` with everything that is wrong with it.

    ``models``: the names that may stand under ``routing``; empty: any, for nobody knows them here.
    """
    policy, problems = _read(path, models)
    if policy is None:
        raise PolicyError(problems)
    return policy


def check(path: Path) -> list[Problem]:
    """Everything that is wrong with a file, in order of its lines; nothing: it can be used."""
    return _read(path)[1]


def _read(path: Path, models: Collection[str] = ()) -> tuple[Policy | None, list[Problem]]:
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return None, [Problem(name, 1, "", f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return None, [Problem(name, error.object[: error.start].count(b"\n") + 1, "", "not UTF-8")]
    document = lines.read(text)
    problems = [Problem(name, line, _dotted(at), reason) for line, at, reason in document.problems]
    if document.value is None and not problems:
        return Policy(), []                 # an empty file changes nothing
    policy: Policy | None = None
    if isinstance(document.value, dict):
        try:
            parsed = _Document.model_validate(document.value)
        except ValidationError as error:
            problems += (_problem(name, document, each["loc"], each["type"], each["msg"]) for each in error.errors(
                include_url=False, include_context=False, include_input=False
            ))
        else:
            policy = parsed.policy()
            problems += _doubled(name, document, parsed)
            problems += _strangers(name, document, parsed, models) if models else ()
    elif not problems:
        problems = [Problem(name, 1, "", "must hold keys with their values, as in `terms: [...]`")]
    problems.sort(key=lambda problem: problem.line)
    return (None if problems else policy), problems


_PLAINLY: Final = {
    "dict_type": "must hold keys with their values",
    "model_type": "must hold keys with their values",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a name or a list of names",
    "string_type": "must be a text; put it in quotation marks",
    "bool_type": "must be true or false",
}
"""In the words of whoever writes the file; pydantic's are those of Python."""


def _problem(name: str, document: lines.Document, loc: lines.Path, kind: str, message: str) -> Problem:
    at = tuple(part for part in loc if part != "[key]")
    known = next((at[:size] for size in range(len(at), -1, -1) if at[:size] in document.lines), ())
    line = document.lines.get(known, 1)
    if kind == "extra_forbidden":
        return Problem(name, line, _dotted(at), f"unknown key{_did_you_mean(str(at[-1]), _keys(at[:-1]))}")
    if kind == "missing":
        return Problem(name, line, _dotted(at[:-1]), f"needs {at[-1]}")
    return Problem(name, line, _dotted(at), _PLAINLY.get(kind, message.removeprefix("Value error, ")))


def _keys(at: lines.Path) -> tuple[str, ...]:
    """Which keys may stand at a place."""
    shape: type[BaseModel] = _Document
    for part in at:
        if part == "scopes":
            shape = _Scope
        elif part in ("patterns", "topics"):
            shape = _Pattern if part == "patterns" else _Topic
        elif part in ("categories", "outbound"):
            shape = _Change
    return tuple(shape.model_fields)


def _doubled(name: str, document: lines.Document, parsed: _Document) -> list[Problem]:
    """Two patterns of one layer with one name: the second would silently replace the first."""
    found: list[Problem] = []
    for at, layer in _layers(parsed):
        named = {"patterns": [part.name for part in layer.patterns], "topics": [part.name for part in layer.topics]}
        for key, names in named.items():
            for place, own in enumerate(names):
                if own in names[:place]:
                    here = (*at, key, place)
                    found.append(Problem(name, document.lines.get(here, 1), _dotted(here), "has the name of another"))
    return found


def _strangers(
    name: str, document: lines.Document, parsed: _Document, models: Collection[str]
) -> Iterator[Problem]:
    """Models that are to be asked, and that no setting names."""
    for at, layer in _layers(parsed):
        for place, model in enumerate(layer.routing or ()):
            if model not in models:
                here = (*at, "routing", place)
                line = document.lines.get(here, document.lines.get(here[:-1], 1))
                yield Problem(name, line, _dotted(here), f"no model of that name is configured; there is "
                                                         f"{', '.join(sorted(models))}")


def _layers(parsed: _Document) -> list[tuple[lines.Path, _Layer]]:
    return [((), parsed), *((("scopes", at), scope) for at, scope in enumerate(parsed.scopes))]


def _dotted(at: lines.Path) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in at)


# --- keeping it


class PolicyFile:
    """A policy that follows its file."""

    __slots__ = ("_models", "_path", "_policy", "_stamp")

    def __init__(self, path: Path, models: Collection[str] = ()) -> None:
        """Raises `PolicyError`: at the start there is nothing older to go on with. ``models``: as in `load_policy`."""
        self._path, self._models = path, frozenset(models)
        self._stamp = _stamp(path)          # taken first: what is written meanwhile is seen as a change
        self._policy = load_policy(path, self._models)

    @property
    def current(self) -> Policy:
        """The last policy that was right as a whole."""
        return self._policy

    def reload(self) -> bool:
        """Reads the file again, changed or not. False: it cannot be used, and the policy stays as it is."""
        self._stamp = _stamp(self._path)
        policy, problems = _read(self._path, self._models)
        if policy is None:
            log.error("policy not reloaded, the old one stays", path=str(self._path), problems=list(map(str, problems)))
            return False
        self._policy = policy
        log.info("policy reloaded", path=str(self._path))
        return True

    def refresh(self) -> bool:
        """Reloads if the file has changed since it was last read; True when a new policy applies."""
        return _stamp(self._path) != self._stamp and self.reload()

    async def watch(self, every: float = POLL) -> None:
        """Looks at the file every so many seconds, until cancelled."""
        while True:
            await asyncio.sleep(every)
            await asyncio.to_thread(self.refresh)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
