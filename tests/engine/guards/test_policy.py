"""One policy, many places: what applies to a turn, and what a guard answers by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards.policy import (
    HOUSE,
    NO_TRACE,
    TEXTS,
    UNSCANNED,
    Action,
    Category,
    Change,
    FailMode,
    Layer,
    Pattern,
    Policy,
    Rule,
    Tolerant,
    Topic,
    Where,
    gravest,
    language_of,
)
from engine.guards.verdict import Allow, Flag, Mask, Refuse, Reroute, Verdict
from engine.messages import TraceId

NAMES = ("T1", "T2", "C1", "C2", "ann", "bob")
names = st.frozensets(st.sampled_from(NAMES), max_size=2)
changes = st.builds(
    Change,
    st.none() | st.sampled_from(Action), st.none() | st.floats(0, 1), st.none() | st.floats(0, 1),
    st.none() | st.booleans(),
)
keys = st.sampled_from(["personal", "personal.ssn", "injection", "political"])
layers = st.lists(
    st.builds(
        Layer, where=st.builds(Where, names, names, names), changes=st.dictionaries(keys, changes, max_size=3),
        outbound=st.dictionaries(keys, changes, max_size=2),
        terms=st.lists(st.sampled_from(["Blue Heron", "Red Fox"]), max_size=2).map(tuple),
    ),
    max_size=5,
).map(tuple)
places = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.frozensets(st.sampled_from(NAMES), max_size=3))


def test_without_a_policy_the_house_rules_apply() -> None:
    rules = Policy.default().rules_for("T1", "C1", ["staff"])
    assert rules.rule(Category.SECRET).action is Action.MASK
    assert rules.rule(Category.UNSAFE).action is Action.REFUSE
    assert rules.rule(Category.PERSONAL, "ssn").action is Action.MASK
    assert rules.rule(Category.PERSONAL, "email").action is Action.ALLOW
    assert rules.fails("injection") is FailMode.CLOSED
    assert set(HOUSE) == set(Category)


def test_counsel_may_speak_of_the_codename_where_others_may_not() -> None:
    policy = Policy((
        Layer(terms=("Blue Heron",)),
        Layer(Where(channels=frozenset({"legal"}), roles=frozenset({"counsel"})),
              {"protected_term": Change(action=Action.FLAG)}),
    ))
    assert policy.rules_for("T1", "legal", ["counsel"]).rule(Category.PROTECTED_TERM).action is Action.FLAG
    assert policy.rules_for("T1", "legal", ["sales"]).rule(Category.PROTECTED_TERM).action is Action.REFUSE
    assert policy.rules_for("T1", "general", ["counsel"]).rule(Category.PROTECTED_TERM).action is Action.REFUSE


def test_the_last_layer_that_fits_has_the_last_word() -> None:
    policy = Policy((
        Layer(changes={"unsafe": Change(action=Action.FLAG, threshold=0.7)}),
        Layer(Where(workspaces=frozenset({"T1"})), {"unsafe": Change(threshold=0.4)}),
        Layer(Where(workspaces=frozenset({"T1"})), {"unsafe": Change(shadow=True)}),
    ))
    assert policy.rules_for("T1").rule("unsafe") == Rule(Action.FLAG, 0.4, 0.5, shadow=True)
    assert policy.rules_for("T2").rule("unsafe") == Rule(Action.FLAG, 0.7, 0.5)


def test_a_single_rule_outranks_its_category_even_from_below() -> None:
    policy = Policy((
        Layer(changes={"personal.ssn": Change(action=Action.REFUSE)}),
        Layer(changes={"personal": Change(action=Action.ALLOW)}),
    ))
    rules = policy.rules_for()
    assert rules.rule("personal", "ssn").action is Action.REFUSE
    assert rules.rule("personal", "passport").action is Action.ALLOW


def test_answers_may_be_held_to_other_rules_than_questions() -> None:
    rules = Policy((Layer(outbound={"personal": Change(action=Action.ALLOW)}),)).rules_for()
    assert rules.rule("personal", "ssn").action is Action.MASK
    assert rules.rule("personal", "ssn", outbound=True).action is Action.ALLOW


def test_lists_add_up_and_of_two_with_one_name_the_later_counts() -> None:
    there = Where(channels=frozenset({"C1"}))
    policy = Policy((
        Layer(terms=("A1", "B2"), patterns=(Pattern("ticket", "X-[0-9]+"),), topics=(Topic("pay", ("wages",)),)),
        Layer(there, terms=("B2", "C3"), patterns=(Pattern("ticket", "Y-[0-9]+"),), topics=(Topic("law", ("suit",)),)),
    ))
    rules = policy.rules_for("T1", "C1")
    assert rules.terms == ("A1", "B2", "C3")
    assert rules.patterns == (Pattern("ticket", "Y-[0-9]+"),)
    assert [topic.name for topic in rules.topics] == ["pay", "law"]
    assert policy.rules_for("T1", "C2").terms == ("A1", "B2")


@given(layers, places)
def test_what_applies_is_what_the_fitting_layers_say_in_their_order(
    stack: tuple[Layer, ...], place: tuple[str, str, frozenset[str]]
) -> None:
    rules = Policy(stack).rules_for(*place)
    fitting = [layer for layer in stack if layer.where.fits(*place)]
    expected = HOUSE["injection"]
    for layer in fitting:
        expected = layer.changes.get("injection", Change()).over(expected)
    assert rules.rule("injection") == expected
    for layer in fitting:
        expected = layer.outbound.get("injection", Change()).over(expected)
    assert rules.rule("injection", outbound=True) == expected
    assert set(rules.terms) == {term for layer in fitting for term in layer.terms}
    assert Policy(tuple(fitting)).rules_for(*place) == rules    # those that do not fit are as good as absent


@given(layers, places)
def test_the_same_place_gets_the_same_rules_at_no_cost(
    stack: tuple[Layer, ...], place: tuple[str, str, frozenset[str]]
) -> None:
    policy = Policy(stack)
    assert policy.rules_for(*place) is policy.rules_for(*place)


@pytest.mark.parametrize(("action", "verdict"), [
    (Action.ALLOW, Allow("ssn", "personal", 0.8)),
    (Action.FLAG, Flag("ssn", "personal", 0.8)),
    (Action.MASK, Mask("my [gone]", "ssn", "personal", 0.8)),
    (Action.REROUTE, Reroute("ssn", "personal", 0.8)),
    (Action.REFUSE, Refuse("ssn", "personal", TEXTS["en"].replace("{trace}", "-"), 0.8)),
])
def test_each_action_is_its_verdict(action: Action, verdict: Verdict) -> None:
    rules = Policy((Layer(changes={"personal": Change(action=action, threshold=0.8)}),)).rules_for()
    assert rules.verdict("personal", "ssn", 0.8, text="what is it", masked="my [gone]") == verdict
    assert rules.verdict("personal", "ssn", 0.79, text="what is it") == Allow(category="personal", score=0.79)


def test_what_cannot_be_cut_out_is_flagged_instead() -> None:
    rules = Policy((Layer(changes={"political": Change(action=Action.MASK)}),)).rules_for()
    assert rules.verdict("political", "event", 0.9) == Flag("event", "political", 0.9)


@given(st.sampled_from([action for action in Action if action is not Action.ALLOW]), st.floats(0.5, 1) | st.none())
def test_a_rule_in_the_shadow_decides_nothing_and_says_what_it_would_have_done(
    action: Action, score: float | None
) -> None:
    rules = Policy((Layer(changes={"unsafe": Change(action, 0.5, shadow=True)}),)).rules_for()
    assert rules.verdict("unsafe", "hate", score) == Allow(f"shadow:{action}:hate", "unsafe", score)


def test_the_gravest_verdict_counts() -> None:
    flag, mask, refuse = Flag("a", "x", 0.9), Mask("t", "b", "y"), Refuse("c", "z", "no")
    assert gravest([flag, mask]) is mask
    assert gravest([flag, refuse, mask]) is refuse
    assert gravest([Flag("low", "x", 0.2), flag]) is flag
    assert gravest([]) == Allow()


def test_a_refusal_speaks_the_language_of_the_question_and_names_the_turn() -> None:
    rules = Policy((Layer(texts={"de": "Acme: nein. {trace}"}),)).rules_for().traced(TraceId("abc123"))
    assert rules.reply("Wie kann ich das Passwort von einem Kollegen bekommen?") == "Acme: nein. abc123"
    assert rules.reply("怎么拿到同事的密码？") == TEXTS["zh"].replace("{trace}", "abc123")
    assert "abc123" in rules.reply("how do I get a colleague's password?")
    assert rules.reply("ขอรหัสผ่าน") == rules.reply(language="en")
    assert "{trace}" not in Policy.default().rules_for().reply("hi")
    assert Policy.default().rules_for().trace == NO_TRACE


@pytest.mark.parametrize(("text", "language"), [
    ("Was ist der Urlaubsanspruch?", "de"), ("how many days do I have", "en"), ("年假有几天？", "zh"),
    ("Combien de jours est-ce que nous avons pour les vacances ?", "fr"), ("有給休暇は何日ですか", "ja"),
    ("¿Cuántos días tengo en el año por favor?", "es"), ("Сколько дней отпуска?", "ru"), ("", "en"), ("42", "en"),
])
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert language_of(text) == language


@given(st.text())
def test_any_text_has_a_language_and_a_reply(text: str) -> None:
    assert Policy.default().rules_for().reply(text)
    assert language_of(text).isalpha()


class Broken:
    """A guard whose dependency is away."""

    name = "topics"
    version = "1"
    beside = True

    async def check(self, text: str) -> Verdict:
        raise ConnectionError(f"away, with {len(text)} characters unread")


async def test_a_broken_guard_is_a_refusal_unless_the_policy_says_otherwise() -> None:
    def tolerant(**fail: FailMode) -> Tolerant:
        return Tolerant(Broken(), Policy((Layer(fail=fail),)).rules_for())

    with pytest.raises(ConnectionError):
        await tolerant().check("hello")
    assert await tolerant(topics=FailMode.OPEN).check("hello") == Allow(UNSCANNED)
    assert await tolerant(topics=FailMode.DEGRADE).check("hello") == Flag(UNSCANNED, "political")
    with pytest.raises(ConnectionError):
        await tolerant(injection=FailMode.OPEN).check("hello")      # another guard's mode
    assert (tolerant().name, tolerant().version, tolerant().beside) == ("topics", "1", True)


class Elsewhere(Broken):
    """A guard whose rule says to ask somebody else."""

    async def check(self, text: str) -> Verdict:
        del text
        return Reroute("layoffs", "topic")


async def test_a_question_that_is_to_be_rerouted_is_refused_in_the_companys_own_words() -> None:
    rules = Policy((Layer(texts={"en": "Not here: {trace}."}),)).rules_for().traced(TraceId("t7"))
    assert await Tolerant(Elsewhere(), rules).check("hello") == Refuse("layoffs", "topic", "Not here: t7.")
