"""What a company wants: what is looked for, and what then happens, by workspace, channel and role.

A `Policy` is a stack of layers. The lowest fits everywhere; above it lie those that name a workspace, a channel or
a role. For one turn the layers that fit are laid over each other in order, the later over the earlier: a single
setting is replaced, lists of terms, marks, patterns and topics add up. What comes out are `Rules`, and every guard
asks them the same question: this was found, what becomes of it?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from engine.guards.verdict import SHADOW, Allow, Flag, Mask, Refuse, Reroute, Verdict
from engine.guards.worn import Worn
from engine.messages import TraceId

if TYPE_CHECKING:
    from engine.ports import Guard


class Action(StrEnum):
    """What becomes of a text in which something was found."""

    ALLOW = "allow"
    FLAG = "flag"           # goes on; the outbound side looks more closely
    MASK = "mask"           # goes on without what was found; where nothing can be cut out, as FLAG
    REFUSE = "refuse"
    REROUTE = "reroute"     # outbound: another model family is asked. Inbound: as REFUSE


class FailMode(StrEnum):
    """What happens when a guard breaks, is away or is too slow."""

    CLOSED = "closed"       # as if it had refused
    OPEN = "open"           # the text goes on, and the record says "unscanned"
    DEGRADE = "degrade"     # the text goes on, flagged with the guard's category, so that others look closely


class Category(StrEnum):
    """What the guards of the house find."""

    SECRET = "secret"                   # noqa: S105 - a category
    PERSONAL = "personal"
    PROTECTED_TERM = "protected_term"
    PATTERN = "pattern"
    TOPIC = "topic"
    INJECTION = "injection"
    POLITICAL = "political"
    UNSAFE = "unsafe"
    DEFLECTION = "deflection"
    REFUSAL = "refusal"
    NARRATIVE = "narrative"
    LEAK = "leak"
    MENTION = "mention"
    LINK = "link"
    BACKEND = "backend"
    UNGROUNDED = "ungrounded"


GUARDS: Final = (
    "secrets", "personal", "terms", "patterns", "injection", "topics", "deflection", "refusal", "narrative", "leak",
    "mentions", "links", "model", "nemo", "grounding", "unsafe",
)
"""Guards that a policy can name, to say what happens when they fail."""
_FINDS: Final = {
    "secrets": Category.SECRET, "personal": Category.PERSONAL, "terms": Category.PROTECTED_TERM,
    "patterns": Category.PATTERN, "injection": Category.INJECTION, "topics": Category.POLITICAL,
}
UNSCANNED: Final = "unscanned"
"""The rule under which a text goes on that a broken guard did not read."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens on a find of one category.

    ``threshold``: suspicion (0 to 1) from which on the action is taken; a find without a score is certain.
    ``grey``: suspicion from which on a guard model is asked, where one is configured. ``shadow``: decides
    nothing, and the record says what would have been done.
    """

    action: Action
    threshold: float = 0.5
    grey: float = 1.0
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a `Rule` that a layer sets; None: as it stands below."""

    action: Action | None = None
    threshold: float | None = None
    grey: float | None = None
    shadow: bool | None = None

    def over(self, rule: Rule) -> Rule:
        """The rule with this laid over it."""
        return Rule(
            rule.action if self.action is None else self.action,
            rule.threshold if self.threshold is None else self.threshold,
            rule.grey if self.grey is None else self.grey,
            rule.shadow if self.shadow is None else self.shadow,
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shape of the company's own, as RE2 understands it."""

    name: str
    pattern: str
    change: Change = Change()


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject of the company's own: a text that holds one of the phrases is about it."""

    name: str
    phrases: tuple[str, ...]
    change: Change = Change()


@dataclass(frozen=True, slots=True)
class Where:
    """To which turns a layer applies. Nothing named: to all."""

    workspaces: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def fits(self, workspace: str, channel: str, roles: Collection[str]) -> bool:
        """Each of the three that is named must hold; of several names one is enough."""
        return (
            (not self.workspaces or workspace in self.workspaces)
            and (not self.channels or channel in self.channels)
            and (not self.roles or not self.roles.isdisjoint(roles))
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """What the policy says for the turns that ``where`` fits.

    Keys of ``changes`` are ``category`` or ``category.rule``; those of ``outbound`` the same, for answers only.
    """

    where: Where = Where()
    changes: Mapping[str, Change] = field(default_factory=dict)
    outbound: Mapping[str, Change] = field(default_factory=dict)
    fail: Mapping[str, FailMode] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    topics: tuple[Topic, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    routing: tuple[str, ...] | None = None


HOUSE: Final[Mapping[str, Rule]] = MappingProxyType({
    Category.SECRET: Rule(Action.MASK),
    Category.PERSONAL: Rule(Action.MASK),
    Category.PROTECTED_TERM: Rule(Action.REFUSE),
    Category.PATTERN: Rule(Action.MASK),
    Category.TOPIC: Rule(Action.FLAG),
    Category.INJECTION: Rule(Action.REFUSE, 0.9, 0.5),
    Category.POLITICAL: Rule(Action.FLAG, 0.75),
    Category.UNSAFE: Rule(Action.REFUSE, 0.9, 0.5),
    Category.DEFLECTION: Rule(Action.REROUTE, 0.9, 0.5),
    Category.REFUSAL: Rule(Action.REROUTE, 0.9, 0.5),
    Category.NARRATIVE: Rule(Action.REROUTE, 0.9, 0.5),
    Category.LEAK: Rule(Action.REFUSE),
    Category.MENTION: Rule(Action.MASK),
    Category.LINK: Rule(Action.MASK),
    Category.BACKEND: Rule(Action.REROUTE),
    Category.UNGROUNDED: Rule(Action.FLAG),
})
"""What applies where no policy says otherwise."""
HOUSE_RULES: Final[Mapping[str, Change]] = MappingProxyType({
    # Colleagues write each other's addresses all day; lists of them are another matter.
    "personal.email": Change(action=Action.ALLOW),
    "personal.phone": Change(action=Action.ALLOW),
    # A passage that speaks to the assistant loses that sentence; the rest of it may still answer.
    "injection.passage": Change(action=Action.MASK),
})
TEXTS: Final[Mapping[str, str]] = MappingProxyType({
    "en": "This cannot be answered here under your organisation's policy. Reference: {trace}",
    "zh": "根据贵组织的规定，这里无法回答此内容。编号：{trace}",
    "de": "Das kann hier nach den Regeln Ihrer Organisation nicht beantwortet werden. Kennung: {trace}",
    "fr": "Les règles de votre organisation ne permettent pas d'y répondre ici. Référence : {trace}",
    "es": "Según las normas de su organización, no se puede responder aquí a esto. Referencia: {trace}",
    "ja": "組織の方針により、ここではお答えできません。参照番号：{trace}",
})
"""The branded text: one sentence whatever the reason, and never what was matched."""
TRACE: Final = "{trace}"
NO_TRACE: Final = TraceId("")


@dataclass(frozen=True, slots=True, repr=False)     # every guard holds them: a traceback would print them for seconds
class Rules:
    """What applies to one turn."""

    changes: Mapping[str, Change]
    outbound: Mapping[str, Change] = field(default_factory=dict)
    fail: Mapping[str, FailMode] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    topics: tuple[Topic, ...] = ()
    texts: Mapping[str, str] = field(default_factory=lambda: TEXTS)
    routing: tuple[str, ...] = ()       # models to ask, in order, when one deflects; empty: as configured
    trace: TraceId = NO_TRACE

    def traced(self, trace: TraceId) -> Rules:
        """The same rules, for one turn: its trace stands in what a person reads."""
        return replace(self, trace=trace)

    def rule(self, category: str, name: str = "", *, outbound: bool = False) -> Rule:
        """What happens on a find. The more particular setting lies over the general one: category, single rule;
        then the same of the outbound side."""
        found = HOUSE.get(category, Rule(Action.FLAG))
        for changes in (self.changes, self.outbound) if outbound else (self.changes,):
            for key in (category, f"{category}.{name}") if name else (category,):
                if key in changes:
                    found = changes[key].over(found)
        return found

    def verdict(
        self, category: str, name: str, score: float | None = None, *,
        text: str = "", masked: str | None = None, outbound: bool = False, change: Change | None = None,
    ) -> Verdict:
        """What a guard answers that found something.

        ``score``: suspicion, 0 to 1; None: it is certain. ``text``: what was read; a refusal speaks its language.
        ``masked``: the text with the find cut out, where that can be done. ``change``: laid over the rule last.
        """
        rule = self.rule(category, name, outbound=outbound)
        if change is not None:
            rule = change.over(rule)
        return self.apply(rule, category, name, score, text=text, masked=masked)

    def apply(
        self, rule: Rule, category: str, name: str, score: float | None = None, *,
        text: str = "", masked: str | None = None,
    ) -> Verdict:
        """As `verdict`, under a rule that is known by now."""
        if score is not None and score < rule.threshold:
            return Allow(category=category, score=score)
        if rule.shadow or rule.action is Action.ALLOW:
            return Allow(f"{SHADOW}{rule.action}:{name}" if rule.shadow else name, category, score)
        match rule.action:
            case Action.REFUSE:
                return Refuse(name, category, self.reply(text), score)
            case Action.REROUTE:
                return Reroute(name, category, score)
            case Action.MASK if masked is not None:
                return Mask(masked, name, category, score)
            case _:
                return Flag(name, category, score)

    def fails(self, guard: str) -> FailMode:
        """What happens when this guard breaks."""
        return self.fail.get(guard, FailMode.CLOSED)

    def unscanned(self, guard: str, finds: Mapping[str, str]) -> Verdict | None:
        """What is said of a text that this guard could not read; None: it goes no further. ``finds``: what about."""
        match self.fails(guard):
            case FailMode.OPEN:
                return Allow(UNSCANNED)
            case FailMode.DEGRADE:
                return Flag(UNSCANNED, finds.get(guard, Category.UNSAFE))
            case _:
                return None

    def reply(self, text: str = "", language: str = "") -> str:
        """The branded text in the language of ``text``, or in ``language``, with the trace of this turn."""
        said = self.texts.get(language or language_of(text)) or self.texts.get("en") or TEXTS["en"]
        return said.replace(TRACE, self.trace or "-")

    def own_reply(self, text: str) -> str:
        """As `reply` where the company wrote that sentence itself, else ""."""
        language = language_of(text)
        own = {code: said for code, said in self.texts.items() if TEXTS.get(code) != said}
        return self.reply(text, language if language in own else "en") if language in own or "en" in own else ""


@dataclass(frozen=True, slots=True)
class Tolerant(Worn["Guard"]):
    """A guard around a guard: when that one breaks, the policy's fail mode speaks for it."""

    inner: Guard
    rules: Rules

    @property
    def beside(self) -> bool:
        """The inner guard's."""
        return self.inner.beside

    async def check(self, text: str) -> Verdict:
        """The inner guard's verdict. When it breaks: under ``closed`` its error, else on, as `UNSCANNED`.

        There is no other model to ask about a question, so that a reroute is a refusal.
        """
        try:
            verdict = await self.inner.check(text)
        except Exception:
            unscanned = self.rules.unscanned(self.name, _FINDS)
            if unscanned is None:
                raise
            return unscanned
        if isinstance(verdict, Reroute):
            return Refuse(verdict.rule, verdict.category, self.rules.reply(text), verdict.score, verdict.also)
        return verdict


_Item = TypeVar("_Item")
_Named = TypeVar("_Named", Pattern, Topic)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """All of it, for everyone. ``targets``: the least that an evaluation must reach, by metric."""

    layers: tuple[Layer, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    _known: dict[tuple[int, ...], Rules] = field(default_factory=dict, init=False, repr=False)

    @staticmethod
    def default() -> Policy:
        """What applies without a file."""
        return Policy()

    def rules_for(self, workspace: str = "", channel: str = "", roles: Collection[str] = ()) -> Rules:
        """What applies to a turn of somebody with these roles, in this place."""
        fitting = tuple(n for n, layer in enumerate(self.layers) if layer.where.fits(workspace, channel, roles))
        if fitting not in self._known:      # as many as there are kinds of places, not as there are places
            self._known[fitting] = _laid_over([self.layers[n] for n in fitting])
        return self._known[fitting]


def gravest(verdicts: Iterable[Verdict]) -> Verdict:
    """Of several verdicts on one text the one that counts; of equals the first with the highest score.

    What rules in shadow would have done stays with it.
    """
    every = tuple(verdicts)
    most = max(every, key=lambda verdict: (_GRAVITY[verdict.action], verdict.score or 0.0), default=Allow())
    also = tuple([
        each for each in every if isinstance(each, Allow) and each is not most and each.rule.startswith(SHADOW)
    ])
    return replace(most, also=also) if also else most


def masks(rule: Rule) -> bool:
    """Whether what is found under this rule is cut out."""
    return rule.action is Action.MASK and not rule.shadow


_GRAVITY: Final = {"allow": 0, "flag": 1, "mask": 2, "reroute": 3, "refuse": 4}


def _laid_over(layers: list[Layer]) -> Rules:
    return Rules(
        changes=_merged([HOUSE_RULES, *(layer.changes for layer in layers)]),
        outbound=_merged([layer.outbound for layer in layers]),
        fail=MappingProxyType({guard: mode for layer in layers for guard, mode in layer.fail.items()}),
        terms=_added(layers, lambda layer: layer.terms),
        marks=_added(layers, lambda layer: layer.marks),
        patterns=_by_name(pattern for layer in layers for pattern in layer.patterns),
        topics=_by_name(topic for layer in layers for topic in layer.topics),
        texts=MappingProxyType({**TEXTS, **{lang: text for layer in layers for lang, text in layer.texts.items()}}),
        routing=next((layer.routing for layer in reversed(layers) if layer.routing is not None), ()),
    )


def _merged(stack: list[Mapping[str, Change]]) -> Mapping[str, Change]:
    """Part by part: a layer that sets an action leaves the threshold below it alone."""
    merged: dict[str, Change] = {}
    for changes in stack:
        for key, above in changes.items():
            below = merged.get(key, Change())
            merged[key] = Change(
                below.action if above.action is None else above.action,
                below.threshold if above.threshold is None else above.threshold,
                below.grey if above.grey is None else above.grey,
                below.shadow if above.shadow is None else above.shadow,
            )
    return MappingProxyType(merged)


def _added(layers: list[Layer], part: Callable[[Layer], tuple[_Item, ...]]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(item for layer in layers for item in part(layer)))


def _by_name(items: Iterable[_Named]) -> tuple[_Named, ...]:
    """Of two with one name the later one counts."""
    return tuple({item.name: item for item in items}.values())


_SCRIPTS: Final = ((re.compile("[\u3040-\u30ff]"), "ja"), (re.compile("[\uac00-\ud7af]"), "ko"),
                   (re.compile("[\u4e00-\u9fff]"), "zh"), (re.compile("[\u0400-\u04ff]"), "ru"))
_COMMON: Final = {
    "de": "der die das und ist nicht ich wir wie was den dem ein eine für mit auf von zu bitte wird",
    "fr": "le la les et est pas je nous comment que des un une pour avec sur de du dans qui",
    "es": "el la los las y es no yo cómo qué un una para con sobre de del en por favor",
    "en": "the and is not i we how what a an for with on of to in please this that you it are",
}
_SPEAKS: Final = {
    word.encode(): tuple(language for language, words in _COMMON.items() if word in words.split())
    for words in _COMMON.values() for word in words.split()
}
_OF_WORD: Final = re.compile(r"[^\W\d_]")
_LETTERS: Final = bytes(code for code in range(128) if chr(code).isalpha())
_ASCII: Final = bytes(range(128))
_WORDS: Final = bytes(code if code > 127 or code in _LETTERS else ord(" ") for code in range(256))


@lru_cache(maxsize=8)               # several guards refuse one message
def language_of(text: str) -> str:
    """A guess at the language of the first 600 characters, good enough to choose a sentence by."""
    head = text[:600]
    if not head.isascii():
        raw = head.encode("utf-8", "surrogatepass")
        others = raw.translate(None, _ASCII).decode("utf-8", "surrogatepass")
        counted = [(len(script.findall(others)), language) for script, language in _SCRIPTS]
        if any(count for count, _ in counted):
            letters = sum(map(str.isalpha, others)) + sum(map(raw.count, _LETTERS))
            for count, language in counted:
                if count * 5 > letters:
                    return language
        for char in set(others):
            if not _OF_WORD.match(char):
                head = head.replace(char, " ")
    counts = dict.fromkeys(_COMMON, 0)
    words = head.casefold().encode("utf-8", "replace").translate(_WORDS).split()
    for word in filter(_SPEAKS.__contains__, words):
        for language in _SPEAKS[word]:
            counts[language] += 1
    best = max(counts, key=lambda language: (counts[language], language == "en"))
    return best if counts[best] else "en"
