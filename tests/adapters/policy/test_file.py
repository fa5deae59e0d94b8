"""A policy in a file: read, explained by line, and followed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from adapters.policy.file import PolicyError, PolicyFile, check, load_policy
from engine.guards.policy import GUARDS, Action, Category, Change, FailMode, Pattern, Rule, Topic
from engine.guards.terms import lexicon
from engine.messages import TraceId

EXAMPLE = Path(__file__).parents[3] / "policy.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policy.yaml"


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def explained(file: Path, text: str) -> list[str]:
    return [str(problem).removeprefix(f"{file}:") for problem in check(written(file, text))]


def test_the_example_is_a_policy_and_says_what_it_says() -> None:
    assert check(EXAMPLE) == []
    policy = load_policy(EXAMPLE)
    anyone, counsel = policy.rules_for("T024ACME", "C0ANY"), policy.rules_for("T024ACME", "C0LEGAL", ["counsel"])
    assert lexicon(anyone.terms, anyone.marks).find("about Blue-Heron")
    assert anyone.rule(Category.PROTECTED_TERM).action is Action.REFUSE
    assert counsel.rule(Category.PROTECTED_TERM).action is Action.FLAG
    assert anyone.fails("model") is FailMode.DEGRADE
    assert anyone.traced(TraceId("t1")).reply(language="de").startswith("Der Acme-Assistent")
    assert policy.rules_for("", "C0TRUSTSAFETY").rule("injection") == Rule(Action.REFUSE, 0.9, 0.5, shadow=True)
    assert policy.targets == {"in: secrets": 0.98, "in: protected terms": 1.0}


def test_everything_can_be_said_in_a_file(file: Path) -> None:
    policy = load_policy(written(file, """
version: 1
categories: {personal: {action: flag, threshold: 0.2, grey: 0.1, shadow: true}, personal.ssn: refuse}
outbound: {political: allow}
failure: {injection: open}
terms: [Silver Otter]
marks: [INITECH ONLY]
patterns: [{name: ticket, pattern: 'INI-[0-9]+', action: flag}]
topics: [{name: pay, phrases: [wages, 工资], action: refuse}]
texts: {no: "Nei. {trace}"}
routing: [second, third]
targets: {jailbreak: 0.96}
scopes:
  - {workspace: [T1, T2], channel: C1, role: staff, terms: [Red Fox], routing: []}
"""))
    rules = policy.rules_for("T9")
    assert rules.rule("personal") == Rule(Action.FLAG, 0.2, 0.1, shadow=True)
    assert rules.rule("personal", "ssn") == Rule(Action.REFUSE, 0.2, 0.1, shadow=True)
    assert rules.rule("political", outbound=True).action is Action.ALLOW
    assert (rules.fails("injection"), rules.fails("topics")) == (FailMode.OPEN, FailMode.CLOSED)
    assert rules.patterns == (Pattern("ticket", "INI-[0-9]+", Change(Action.FLAG)),)
    assert rules.topics == (Topic("pay", ("wages", "工资"), Change(Action.REFUSE)),)
    assert rules.texts["no"] == "Nei. {trace}"      # a language, not a truth value
    assert rules.routing == ("second", "third")
    there = policy.rules_for("T2", "C1", ["staff"])
    assert there.terms == ("Silver Otter", "Red Fox")
    assert there.routing == ()


def test_what_others_find_for_us_has_rules_as_well(file: Path) -> None:
    policy = load_policy(written(file, """
categories: {unsafe.nemo: flag, unsafe.llama-guard-3: refuse, injection.qwen3guard-gen: refuse}
outbound: {personal.qwen3guard-gen: refuse}
"""))
    rules = policy.rules_for()
    assert [rules.rule("unsafe", name).action for name in ("nemo", "llama-guard-3")] == [Action.FLAG, Action.REFUSE]
    assert rules.rule("personal", "qwen3guard-gen", outbound=True).action is Action.REFUSE


def test_a_rule_for_answers_from_which_nothing_would_follow_is_a_mistake(file: Path) -> None:
    assert explained(file, """outbound:
  personal: refuse
  personal.ssn: mask
  personal.list: mask
  pattern: mask
  leak: refuse
""") == [
        "4: outbound.personal.list: no rule for answers: its first entries stand there before it is a list; say what "
        "becomes of personal.email and personal.phone",
        "5: outbound.pattern: no rule for answers: nothing would follow from it",
    ]


def test_a_model_that_nobody_configured_is_a_mistake_where_the_models_are_known(file: Path) -> None:
    written(file, "routing: [second, thrid]\nscopes:\n  - channel: C1\n    routing: [fourth]\n")
    assert load_policy(file).rules_for().routing == ("second", "thrid")
    with pytest.raises(PolicyError) as raised:
        load_policy(file, ("second", "third"))
    assert [str(problem).removeprefix(f"{file}:") for problem in raised.value.problems] == [
        "1: routing.2: no model of that name is configured; there is second, third",
        "4: scopes.1.routing.1: no model of that name is configured; there is second, third",
    ]
    assert load_policy(written(file, "routing: [third]"), ("second", "third")).rules_for().routing == ("third",)
    policy = PolicyFile(file, ("second", "third"))
    written(file, "routing: [fifth]")
    assert not policy.reload()
    assert policy.current.rules_for().routing == ("third",)


def test_an_empty_file_changes_nothing(file: Path) -> None:
    assert load_policy(written(file, "# nothing yet\n")).rules_for().rule("secret").action is Action.MASK


def test_every_mistake_is_explained_by_its_line_all_at_once(file: Path) -> None:
    assert explained(file, r"""categorys: {}
categories:
  persnal: mask
  personal.phoone: allow
  injection: {action: refus, treshold: 0.9, threshold: 1.5}
failure: {secret: closed, topics: ajar}
outbound: {deflection.cannedline: flag}
targets: {secrets: 0.9, "in: jailbreak, recall at 0.5": 0.2}
terms: [A, Silver Otter]
patterns:
  - name: x
    pattern: 'INI-(\d+)\1'
  - {name: x, pattern: 'a*'}
  - {name: y}
texts: {en: "no trace", english: "x {trace}", de: "{trace} {name}"}
scopes:
  - chanel: C1
    categories: mask
    terms: 7
""") == [
        "1: categorys: unknown key; did you mean categories?",
        "3: categories.persnal: no category; did you mean personal?",
        "4: categories.personal.phoone: no rule of that name; did you mean personal.phone?",
        "5: categories.injection.action: no action; did you mean refuse?",
        "5: categories.injection.threshold: Input should be less than or equal to 1",
        "5: categories.injection.treshold: unknown key; did you mean threshold?",
        "6: failure.secret: no guard; did you mean secrets?",
        "6: failure.topics: no fail mode; it can be closed, degrade, open",
        "7: outbound.deflection.cannedline: no rule of that name; did you mean deflection.canned_line?",
        "8: targets.secrets: no measure; did you mean secret?",
        "9: terms.1: a term needs two letters or digits at least, or it is found everywhere",
        r"12: patterns.1.pattern: RE2 does not take this pattern: invalid escape sequence: \1",
        "13: patterns.2.pattern: this pattern is met by nothing at all, so by every text",
        "14: patterns.3: needs pattern",
        "15: texts.en: must hold {trace}, so that a person can say which refusal is meant",
        "15: texts.english: a language is two or three small letters, as in en or zh",
        "15: texts.de: {trace} is the only thing to be filled in",
        "17: scopes.1.chanel: unknown key; did you mean channel?",
        "18: scopes.1.categories: must hold keys with their values",
        "19: scopes.1.terms: must be a list",
    ]


@pytest.mark.parametrize(("text", "line", "reason"), [
    ("terms: [a\n  b: c]\n", 2, "not YAML"),
    ("terms:\n\t- tab\n", 2, "not YAML"),
    ("a: &x [1]\nb: *x\n", 2, "aliases"),
    ("terms:\n  - !!python/object:os.system x\n", 2, "tags"),
    ("terms: [Otter]\nterms: [Fox]\n", 2, "stands here twice; first on line 1"),
    ("? [a, b]\n: c\n", 1, "a key is a word"),
    ("- terms\n", 1, "must hold keys"),
    ("just words\n", 1, "must hold keys"),
    ("terms: " + "[" * 30 + "]" * 30, 1, "nested"),
    ("terms: " + "[" * 50_000 + "]" * 50_000, 1, "not YAML"),
    ("version: 2\n", 1, "less than or equal to 1"),
    ("\n\nterms: [ok\x01]\n", 3, "not YAML"),
    ("patterns:\n  - {name: x, pattern: ok}\n  - {name: x, pattern: okay}\n", 3, "has the name of another"),
])
def test_what_is_no_policy_is_no_policy(file: Path, text: str, line: int, reason: str) -> None:
    problems = check(written(file, text))
    assert any(problem.line == line and reason in problem.reason for problem in problems), list(map(str, problems))


def test_a_file_that_cannot_be_read_says_so(file: Path) -> None:
    assert "cannot be read" in str(check(file)[0])
    file.write_bytes(b"terms:\n  - \xff\n")
    assert str(check(file)[0]) == f"{file}:2: not UTF-8"
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    assert caught.value.problems == tuple(check(file))


def test_nobody_learns_protected_terms_from_an_error(file: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(written(file, "terms: [Silver Otter, [Silver Otter]]\nmarks: 'INITECH ONLY'\n"))
    assert "otter" not in str(caught.value).lower()
    assert "initech" not in str(caught.value).lower()


def test_every_guard_can_be_given_a_fail_mode(file: Path) -> None:
    text = "failure: {" + ", ".join(f"{guard}: open" for guard in GUARDS) + "}"
    assert all(load_policy(written(file, text)).rules_for().fails(guard) is FailMode.OPEN for guard in GUARDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(st.sampled_from("abterms:[]{}-'\"#&*!|>? \n\té\x00,1.")) | st.text(max_size=60))
def test_any_file_is_a_policy_or_explained(file: Path, text: str) -> None:
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    problems = check(file)
    assert all(1 <= problem.line <= text.count("\n") + 2 for problem in problems)
    if not problems:
        assert load_policy(file).rules_for().rule("secret").action in Action


# --- following it


def touched(file: Path, text: str) -> None:
    """A later change, however coarse the clock of the disk is."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_a_change_is_followed_and_a_mistake_is_not(file: Path) -> None:
    policy = PolicyFile(written(file, "terms: [Silver Otter]"))
    assert not policy.refresh()
    first = policy.current

    touched(file, "terms: [Red Fox]")
    assert policy.refresh()
    assert policy.current.rules_for().terms == ("Red Fox",)
    assert first.rules_for().terms == ("Silver Otter",)     # a turn under way keeps what it began with

    touched(file, "terms: [Red Fox\n")
    with capture_logs() as logs:
        assert not policy.refresh()
        assert not policy.refresh()                         # complained of once, not at every look
    assert [line["log_level"] for line in logs] == ["error"]
    assert ":2:" in logs[0]["problems"][0]
    assert policy.current.rules_for().terms == ("Red Fox",)

    file.unlink()
    assert not policy.refresh()
    assert policy.current.rules_for().terms == ("Red Fox",)

    touched(file, "terms: [Green Newt]")
    assert policy.refresh()
    assert policy.current.rules_for().terms == ("Green Newt",)


def test_at_the_start_there_must_be_a_policy(file: Path) -> None:
    with pytest.raises(PolicyError):
        PolicyFile(file)


def test_a_reload_reads_even_what_looks_unchanged(file: Path) -> None:
    policy = PolicyFile(written(file, "terms: [Silver Otter]"))
    before = policy.current
    assert policy.reload()
    assert policy.current is not before


async def test_the_file_is_watched_until_we_stop(file: Path) -> None:
    policy = PolicyFile(written(file, "terms: [Silver Otter]"))
    async with asyncio.timeout(10):
        watching = asyncio.create_task(policy.watch(0.001))
        for text, term in (("terms: [Red Fox]", "Red Fox"), ("terms: {", "Red Fox"), ("terms: [Newt]", "Newt")):
            touched(file, text)
            while policy.current.rules_for().terms != (term,):
                await asyncio.sleep(0.001)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
