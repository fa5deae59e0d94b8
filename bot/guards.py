"""Which guards stand where: a company's rules in, the two chains out.

Guards are made for the rules of one turn; what is heavy in them (automata, weights, patterns) is kept by those who
made it. A guard model and NeMo's rails join the chains where they are configured.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, lru_cache, partial
from hashlib import blake2b
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, TypedDict
from urllib.parse import urlsplit

from adapters.guardmodels.config import GuardModelConfig
from adapters.guardmodels.families import MAKERS, maker
from adapters.guardmodels.granite import GROUNDEDNESS, GraniteGuardian
from adapters.guardmodels.grounding import PassageJudge
from adapters.guardmodels.guard import Judge, ModelGuard, ModelOutboundGuard
from adapters.guardmodels.model import GuardModel
from adapters.nemo.process import NemoConfig, NemoProcess
from adapters.nemo.stage import NemoGuard, NemoOutboundGuard, Rails
from adapters.policy.file import PolicyFile
from adapters.sglang.config import SglangConfig
from bot.settings import Settings, SettingsError
from engine.guards.chain import Inbound
from engine.guards.citations import CitationGuard
from engine.guards.deflection import DeflectionGuard
from engine.guards.disclosure import KINDS, DisclosureGuard
from engine.guards.egress import Egress, Sentences, sentences
from engine.guards.governed import Governed
from engine.guards.grounded import GroundingCheck, Meaning, Support
from engine.guards.injection import (
    InboundScores,
    InjectionGuard,
    Screened,
    joint,
    judged,
    screen_passages,
    together,
)
from engine.guards.injection import read as injected
from engine.guards.leak import LeakGuard
from engine.guards.links import LinkGuard
from engine.guards.mentions import MentionGuard
from engine.guards.narrative import NarrativeGuard
from engine.guards.normalise import LONG
from engine.guards.notices import read_over
from engine.guards.personal import PersonalGuard
from engine.guards.policy import HOUSE, NO_TRACE, Action, Category, Change, Layer, Policy, Rule, Rules, Tolerant
from engine.guards.recent import Recent
from engine.guards.refusal import RefusalGuard
from engine.guards.scores import OutboundClassifier, OutboundScores
from engine.guards.secrets import SecretsGuard
from engine.guards.suspicion import scaled
from engine.guards.terms import PatternsGuard, TermsGuard
from engine.guards.topics import TopicsGuard, political, politics, unsafe
from engine.guards.unsafe import UnsafeClassifier, UnsafeGuard
from engine.messages import Claim, Decision, Found, Passage, PersonId, Place, TraceId, Trail
from engine.ports import Fingerprint, Guard, OutboundGuard
from engine.prompt import SYSTEM, marked
from engine.turn import Chains

if TYPE_CHECKING:
    from engine.guards.classifier import Classifier

WEIGHTS: Final = "guards.npz"
HELD: Final = frozenset({Category.POLITICAL, Category.UNSAFE, Category.INJECTION})
"""With one of these flags on the question nothing is shown before the guard model has judged the answer."""
OUTBOUND: Final = (Category.DEFLECTION, Category.REFUSAL, Category.NARRATIVE)
REMEMBERED: Final = 16
PASSAGES: Final = 16_384
"""So many passages are not read twice under the same rules; two megabytes."""
CANARY: Final = 16
"""Hexadecimal digits."""
CONNECT: Final = timedelta(seconds=1)


class Scorer(UnsafeClassifier, OutboundClassifier, Protocol):
    """A classifier for both directions."""


def chains(
    rules: Rules, classifier: Scorer | None, *, system_prompt: str = SYSTEM, judge: Judge | None = None,
    strict: bool = False, nemo: Rails | None = None, hosts: tuple[str, ...] = (), thinking: bool = False,
    canary: str = "",
) -> tuple[tuple[Guard, ...], tuple[OutboundGuard, ...]]:
    """The inbound and the outbound guards for the turns to which these rules apply, in their order.

    ``strict``: what the guard model calls controversial counts as unsafe. ``thinking``: every model that may answer
    was told to think aloud first.
    """
    inbound: list[Guard] = [
        SecretsGuard(rules), PersonalGuard(rules), TermsGuard(rules), PatternsGuard(rules),
        InjectionGuard(rules, classifier), TopicsGuard(rules, classifier),
    ]
    outbound: list[OutboundGuard] = [
        *(Governed(guard, rules) for guard in detectors(
            rules, classifier, system_prompt, hosts, thinking, canary=canary)),
    ]
    if judge is not None:
        grey = GreyZone(rules, classifier)
        inbound.append(ModelGuard(judge, rules, grey.inbound, strict))
        outbound.append(ModelOutboundGuard(judge, rules, grey.outbound, HELD, strict))
    if nemo is not None:
        inbound.append(NemoGuard(nemo, rules))
        outbound.append(NemoOutboundGuard(nemo, rules))
    outbound.append(CitationGuard())
    return tuple(inbound), tuple(outbound)


def _no_meaning() -> Meaning | None:
    return None


def _no_roles(_person: PersonId) -> tuple[str, ...]:
    return ()


@dataclass(slots=True, repr=False)
class Fit:
    """What was found fit under one set of rules. Pages are read out again for every question about them."""

    rules: Rules
    sentences: Sentences = field(default_factory=sentences)
    passages: Recent[bytes, bool] = field(default_factory=lambda: Recent(PASSAGES))     # by their digests


@dataclass(slots=True, repr=False)
class Memory:
    """What was found fit, by the rules under which it was: a policy that is read anew makes others."""

    _known: Recent[int, Fit] = field(default_factory=lambda: Recent(REMEMBERED))

    def under(self, rules: Rules) -> Fit:
        """For these very rules, whatever the turn: its trace is in no text that stands here."""
        fit = self._known.get(id(rules))
        if fit is None or fit.rules is not rules:       # an id may come again, but not while it is remembered
            fit = self._known.put(id(rules), Fit(rules))
        return fit


@dataclass(frozen=True, slots=True)
class Passages:
    """Reads what was retrieved before a model does, by rules alone: half a millisecond for each that is new."""

    rules: Rules
    fingerprint: Fingerprint
    fit: Recent[bytes, bool]
    name = "passages"
    version = "2"

    async def screen(self, found: Found, trail: Trail) -> Found:
        """The passages without the sentences in which they speak to the assistant; what was found is noted."""
        kept: list[Passage] = []
        noted = len(trail.decisions)
        for passage in found.passages:
            read = f"{passage.title}\n{passage.text}".encode("utf-8", "surrogatepass")
            digest = blake2b(read, digest_size=16).digest()
            if self.fit.get(digest):
                kept.append(passage)
                continue
            screened = await self._screened(passage)
            kept += screened.found.passages
            if not screened.verdicts:
                self.fit.put(digest, True)
                continue
            size, text_hash = len(passage.text), self.fingerprint(passage.text)
            trail.decisions += [
                Decision("in", self.name, self.version, each.action, each.rule, each.category, each.score, text_hash,
                         size)
                for each in screened.verdicts
            ]
        if found.passages and len(trail.decisions) == noted:
            whole = "\n".join(passage.text for passage in found.passages)
            trail.decisions.append(Decision(
                "in", self.name, self.version, "allow", text_hash=self.fingerprint(whole), scanned=len(whole)))
        return replace(found, passages=tuple(kept), answers=found.answers and bool(kept))

    async def _screened(self, passage: Passage) -> Screened:
        alone = Found((passage,), answers=True)
        if len(passage.text) > LONG:
            return await asyncio.to_thread(screen_passages, alone, self.rules)
        await asyncio.sleep(0)          # whoever waits comes in between two of them
        return screen_passages(alone, self.rules)


@dataclass(frozen=True, slots=True)
class Guards:
    """Everything that guards, opened; asked for the chains of one turn at a time."""

    policy: Callable[[], Policy]
    fingerprint: Fingerprint
    classifier: Scorer | None = None
    system_prompt: str = SYSTEM
    judge: Judge | None = None
    strict: bool = False
    nemo: Rails | None = None
    hosts: tuple[str, ...] = ()     # where links may always lead: the pages that we serve
    thinking: bool = False          # every model that may answer was told to think aloud first
    roles: Callable[[PersonId], Collection[str]] = _no_roles
    meaning: Callable[[], Meaning | None] = _no_meaning
    support: Support | None = None
    memory: Memory = field(default_factory=Memory, repr=False, compare=False)

    @property
    def canary(self) -> str:
        """A word of this installation's own, always the same: prefixes of prompts stay cached."""
        return self.fingerprint("canary")[:CANARY]

    def rules(self, place: Place, roles: Collection[str] = (), trace: TraceId = NO_TRACE) -> Rules:
        """What applies to a turn in this place, by the policy of this moment."""
        return self.policy().rules_for(place.workspace, place.channel, roles).traced(trace)

    def for_turn(self, claim: Claim) -> Chains:
        """What stands around this turn, under one policy from the question to the end of its answer."""
        place = claim.message.place
        lasting = self.policy().rules_for(place.workspace, place.channel, self.roles(claim.message.author))
        rules, fit = lasting.traced(claim.trace), self.memory.under(lasting)
        inbound, outbound = chains(
            rules, self.classifier, system_prompt=self.system_prompt, judge=self.judge, strict=self.strict,
            nemo=self.nemo, hosts=self.hosts, thinking=self.thinking, canary=self.canary,
        )
        return Chains(
            Inbound(tuple(Tolerant(guard, rules) for guard in inbound), self.fingerprint),
            Egress(outbound, self.fingerprint, fit.sentences), Passages(rules, self.fingerprint, fit.passages),
            rules.routing,
            GroundingCheck(rules, self.fingerprint, self.meaning, self.support), rules.own_reply,
            marked(self.system_prompt, self.canary),
        )


@asynccontextmanager
async def open_guards(
    settings: Settings, fingerprint: Fingerprint, classifier: Scorer | None,
    meaning: Callable[[], Meaning | None] = _no_meaning,
) -> AsyncGenerator[Guards, None]:
    """What the settings name: the policy, followed as its file changes, a guard model, NeMo's rails.

    ``meaning``: where vectors are, when there are any in this process.

    Raises `PolicyError` for a policy that cannot be used, `SettingsError` for models that share a maker.
    """
    check_makers(settings)
    async with AsyncExitStack() as stack:
        policy: Callable[[], Policy] = cache(Policy.default)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        if settings.guards.policy is not None:
            file = await asyncio.to_thread(PolicyFile, settings.guards.policy, model_names(settings))
            watching = group.create_task(file.watch())
            stack.callback(watching.cancel)
            policy = partial(_current, file)
        judge = nemo = support = None
        if (config := guard_model_config(settings)) is not None:
            judge = await stack.enter_async_context(GuardModel.open(config, fingerprint))
            if isinstance(judge.family, GraniteGuardian):
                support = PassageJudge(judge.about(replace(judge.family, criterion=GROUNDEDNESS)))
        if settings.guards.nemo_folder is not None and settings.guards.nemo_python is not None:
            nemo = await stack.enter_async_context(NemoProcess.open(NemoConfig(
                settings.guards.nemo_folder, settings.guards.nemo_python, settings.guards.nemo_timeout,
            )))
        yield Guards(
            Careful(policy, alone=settings.second.url is None, judged=judge is not None), fingerprint, classifier,
            judge=judge, strict=settings.guard_model.strict, nemo=nemo, hosts=hosts(settings), roles=roles(settings),
            thinking=thinking(settings), meaning=meaning, support=support,
        )


def _current(file: PolicyFile) -> Policy:
    return file.current


@dataclass(slots=True)
class Careful:
    """A policy, over what a program does that nobody has told its company's wishes yet.

    What the guards only suspect is recorded and takes nothing from anybody: a message still gets its answer. A
    refusal or a narrative is worth asking somebody else, and is left standing where there is nobody else. A rail that
    blocks is no suspicion: its company wrote it.
    """

    policy: Callable[[], Policy]
    alone: bool = True      # there is no other model to ask
    judged: bool = False    # there is a guard model: unsafe is what both it and the house's rules say
    _of: Policy | None = None
    _made: Policy | None = None

    def __call__(self) -> Policy:
        """The policy of this moment, made once for each that is read."""
        policy = self.policy()
        if self._made is None or policy is not self._of:
            flagged = [*BY_SOUND, Category.INJECTION, *[Category.UNSAFE] * (not self.judged), *OTHERS_WORK * self.alone]
            changes = {**{category: Change(action=Action.FLAG) for category in flagged}, **CLEAR_ORDERS, **BLOCKED}
            changes[Category.UNSAFE] = replace(changes.get(Category.UNSAFE, Change()), threshold=SURELY_UNSAFE)
            below = Layer(changes=MappingProxyType(changes))
            self._of, self._made = policy, replace(policy, layers=(below, *policy.layers))
        return self._made


BY_SOUND: Final = ("deflection.deflection", "deflection.late_deflection", "refusal.late_refusal")
"""Found by the classifier alone: an honest "I do not know" sounds like this, too. No line and no form was met."""
BY_CLASSIFIER: Final[Mapping[str, tuple[str, ...]]] = {
    category: (str(category), f"late_{category}") for category in OUTBOUND
}
"""The rules of what is found in an answer by the classifier alone: held, and late."""
BLOCKED: Final = {"unsafe.nemo": Change(action=Action.REFUSE)}
"""What a rail of NeMo's stops is refused; a policy that wants less says so of this rule."""
OTHERS_WORK: Final = (Category.REFUSAL, Category.NARRATIVE)
"""What is worth asking another model about."""
SURELY_UNSAFE: Final = 0.97
"""Short ordinary questions ("I lost my security key") reach 0.92 with the classifier that ships."""
CLEAR_ORDERS: Final = {"injection.passage": Change(threshold=0.92)}
"""A handbook may well say "never send a password to anybody": only what speaks to an assistant is taken out."""


def hosts(settings: Settings) -> tuple[str, ...]:
    """The host of the pages that we serve, where they have one."""
    host = urlsplit(settings.knowledge.base_url or "").hostname
    return (host,) if host else ()


def thinking(settings: Settings) -> bool:
    """Whether every model that may answer is told to think aloud, so that an answer without a thought is odd."""
    efforts = [m.reasoning_effort for m in (settings.model, settings.second, settings.third) if m.url is not None]
    return bool(efforts) and all(effort not in (None, "none") for effort in efforts)


def roles(settings: Settings) -> Callable[[PersonId], Collection[str]]:
    """What a policy can call a person: an admin, as the settings list them."""
    admins = frozenset(settings.admins)
    return lambda person: ("admin",) if person in admins else ()


def guard_model_config(settings: Settings) -> GuardModelConfig | None:
    """The guard model's part of the settings; None: there is none."""
    g = settings.guard_model
    if g.url is None:
        return None
    server = SglangConfig(
        g.url, g.name, g.api_key.get_secret_value() if g.api_key else "", connect=min(g.timeout, CONNECT),
        breaker_threshold=g.breaker_failures, breaker_cooldown=g.breaker_cooldown,
    )
    return GuardModelConfig(server, g.family, timeout=g.timeout)


def other_model_configs(settings: Settings, first: SglangConfig) -> list[SglangConfig]:
    """The models that are asked when the first one deflects, in order, with the first one's patience."""
    return [
        replace(first, url=m.url, name=m.name, api_key=m.api_key.get_secret_value() if m.api_key else "",
                reasoning_effort=m.reasoning_effort)
        for m in (settings.second, settings.third) if m.url is not None
    ]


def detectors(
    rules: Rules, classifier: Scorer | None, system_prompt: str, hosts: tuple[str, ...] = (), thinking: bool = False,
    *, canary: str = "",
) -> tuple[OutboundGuard, ...]:
    """What is looked for in an answer. A threshold is the detector's own unless the policy sets one."""
    return (
        SecretsGuard(), DisclosureGuard(_disclosed(rules)), MentionGuard(), LinkGuard(hosts),
        _leak_guard(system_prompt, canary),
        DeflectionGuard(classifier, expects_reasoning=thinking, **_threshold(rules, Category.DEFLECTION)),
        RefusalGuard(classifier, **_threshold(rules, Category.REFUSAL)),
        NarrativeGuard(classifier, passing=_passing(rules), **_threshold(rules, Category.NARRATIVE)),
        UnsafeGuard(classifier, **_threshold(rules, Category.UNSAFE)),
    )


def _disclosed(rules: Rules) -> tuple[str, ...]:
    """The kinds of personal data that may not stand in an answer, or are to be noted there."""
    found = ((kind, rules.rule(Category.PERSONAL, kind, outbound=True)) for kind in KINDS)
    return tuple(kind for kind, rule in found if rule.shadow or rule.action is not Action.ALLOW)


def _passing(rules: Rules) -> tuple[str, ...]:
    """The classifier's rules under which an answer goes on, so that it must be read on."""
    return tuple(
        name for category, names in BY_CLASSIFIER.items() for name in names
        if not _stops(rules.rule(category, name, outbound=True))
    )


class _Set(TypedDict, total=False):
    threshold: float


def _threshold(rules: Rules, category: str) -> _Set:
    """As an argument, where the policy says it."""
    for changes in (rules.outbound, rules.changes):
        if category in changes and (set_here := changes[category].threshold) is not None:
            return {"threshold": set_here}
    return {}


@lru_cache(maxsize=8)
def _leak_guard(system_prompt: str, canary: str) -> LeakGuard:
    """Its automata are as large as the prompt, and prompts are few."""
    return LeakGuard(system_prompt, canary)


@dataclass(frozen=True, slots=True)
class Scores:
    """One message's scores, 0 to 1."""

    injection: float
    unsafe: float
    political: float


@dataclass(frozen=True, slots=True)
class Scaled:
    """A classifier whose thresholds, all at 0.5, are moved to where the house's rules have them."""

    inner: Scorer

    def inbound(self, text: str) -> InboundScores:
        """As the inner one, in the scale of the rules; it is the house's, so that a policy can move a threshold."""
        scores = self.inner.inbound(read_over(text))
        return Scores(*(
            scaled(score, HOUSE[category].threshold) for category, score in (
                (Category.INJECTION, scores.injection), (Category.UNSAFE, scores.unsafe),
                (Category.POLITICAL, scores.political),
            )
        ))

    def outbound(self, question: str, answer: str) -> OutboundScores:
        """As the inner one: detectors of answers go by its thresholds."""
        return self.inner.outbound(question, answer)

    def harmful(self, passage: str) -> float:
        """As the inner one."""
        return self.inner.harmful(passage)


@dataclass(frozen=True, slots=True)
class GreyZone:
    """Where our own guards do not decide, so that a guard model is asked: from a rule's ``grey`` on.

    A category that the policy allows, or that ends the turn from its threshold on, needs nobody's second opinion.
    Where the rule only flags, what is over the threshold needs it most.
    """

    rules: Rules
    classifier: Scorer | None = None

    def inbound(self, text: str) -> bool:
        """Whether a message lies there."""
        return any(self._between(category, score) for category, score in suspicions(text, self.classifier).items())

    def outbound(self, question: str, answer: str) -> bool:
        """Whether an answer lies there; every answer to a question that does is judged as well."""
        if self.inbound(question):
            return True
        if self.classifier is None:
            return False
        scores = self.classifier.outbound(question, answer)
        said = {Category.DEFLECTION: scores.deflection, Category.REFUSAL: scores.refusal,
                Category.NARRATIVE: scores.narrative}
        return any(self._between(category, score, outbound=True) for category, score in said.items())

    def _between(self, category: str, score: float, *, outbound: bool = False) -> bool:
        rule = self.rules.rule(category, outbound=outbound)
        if rule.action is Action.ALLOW or score < rule.grey:
            return False
        names = BY_CLASSIFIER[category] if outbound else ("classifier",)
        return score < rule.threshold or not all(
            _stops(self.rules.rule(category, name, outbound=outbound)) for name in names
        )


def _stops(rule: Rule) -> bool:
    """Whether a find under this rule is the end of its turn."""
    return not rule.shadow and rule.action in (Action.REFUSE, Action.REROUTE)


def suspicions(text: str, classifier: Scorer | None) -> dict[str, float]:
    """What rules and classifier together think of a message, by category, 0 to 1; as the guards themselves do."""
    scores = classifier.inbound(text) if classifier else None
    return {
        Category.INJECTION: joint(injected(text).score, judged(text, classifier)),
        Category.POLITICAL: politics(political(text).score, scores.political if scores else 0.0),
        Category.UNSAFE: together(unsafe(text).score, scores.unsafe if scores else 0.0),
    }


def model_names(settings: Settings) -> tuple[str, ...]:
    """What a policy may call the models that answer."""
    return tuple(m.name for m in (settings.model, settings.second, settings.third) if m.url is not None)


def check_makers(settings: Settings) -> None:
    """Raises `SettingsError` when two configured models come from one maker and that is not allowed.

    Makers are told by names; a name like "chat" tells none, and is taken at its word.
    """
    if settings.guards.same_maker:
        return
    named = {
        section: each.name
        for section, each in (("model", settings.model), ("second", settings.second), ("third", settings.third))
        if each.url is not None
    }
    if settings.guard_model.url is not None:
        named["guard_model"] = settings.guard_model.family
    makers: dict[str, str] = {}
    problems = []
    for section, name in named.items():
        who = maker(name)
        if who in makers and who in MAKERS:
            problems.append(f"{makers[who]}.name, {section}.name: both models are by {who}, so they share their blind "
                            "spots; take another, or set guards.same_maker = true")
        makers.setdefault(who, section)
    if problems:
        raise SettingsError(problems)


@dataclass(slots=True, repr=False)      # a traceback that shows variables would print the weights, for seconds
class Remembering:
    """A classifier that several guards ask about the same text, so that it is read once. Kept in memory only."""

    inner: Scorer
    _heard: Recent[str, InboundScores] = field(default_factory=lambda: Recent(REMEMBERED))

    def inbound(self, text: str) -> InboundScores:
        """As the inner one."""
        known = self._heard.get(text)
        return known if known is not None else self._heard.put(text, self.inner.inbound(text))

    def outbound(self, question: str, answer: str) -> OutboundScores:
        """As the inner one: an answer grows, and is seldom asked about twice."""
        return self.inner.outbound(question, answer)

    def harmful(self, passage: str) -> float:
        """As the inner one: no window is asked about twice."""
        return self.inner.harmful(passage)


def load_classifier() -> Scorer:
    """The classifier as the chains use it, with the weights that ship with the program."""
    return Remembering(Scaled(load_weights()))


def load_weights() -> Classifier:
    """The classifier by itself; less than 5 MB are read."""
    from engine.guards.classifier import Classifier as Made  # noqa: PLC0415 - numpy takes a tenth of a second

    return Made.load(resources.files("engine.guards.weights").joinpath(WEIGHTS).read_bytes())
