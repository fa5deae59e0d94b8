"""Secrets never reach the model, and never the reader."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.guards import credentials
from engine.guards.chain import Inbound
from engine.guards.governed import Governed
from engine.guards.policy import Action, Change, Layer, Policy, Rules
from engine.guards.secrets import MAX_HOLD, Scanner, SecretsGuard
from engine.guards.verdict import Allow, Flag, Mask, Refuse, Verdict
from engine.messages import TraceId, Trail
from tests.engine.guards.screens import CUTS, cut, letters, watch

ALNUM = string.ascii_letters + string.digits
_random = random.Random(7)     # noqa: S311 - no real secrets


def made_up(size: int, alphabet: str = ALNUM) -> str:
    return "".join(_random.choice(alphabet) for _ in range(size))


def a_private_key(lines: int, kind: str = "RSA ") -> str:
    body = "\n".join(made_up(64, ALNUM + "+/") for _ in range(lines))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n{made_up(22)}==\n-----END {kind}PRIVATE KEY-----"


AWS = "AKIA" + made_up(16, string.ascii_uppercase + "234567")
AWS_SECRET = "aQ7/" + made_up(36, ALNUM + "/+")
GITHUB = "ghp_" + made_up(36)
JWT = f"eyJ{made_up(33)}.eyJ{made_up(70)}.{made_up(43)}"
PEM = a_private_key(4)
# name, what stands around it (# is the secret), the secret
SECRETS = [
    ("AWS key", "the id is # today", AWS),
    ("AWS secret key", f"{AWS} / #", AWS_SECRET),
    ("AWS secret key", f"{AWS}\n#\n", AWS_SECRET),
    ("secret", "aws_secret_access_key = #\n", AWS_SECRET),
    ("GitHub token", "用这个令牌#登录", GITHUB),
    ("GitHub token", "(#)", "github_pat_" + made_up(22) + "_" + made_up(59)),
    ("GitLab token", "token `#`.", "glpat-" + made_up(20)),
    ("Slack token", "SLACK=#", f"xoxb-{made_up(11, string.digits)}-{made_up(12, string.digits)}-{made_up(24)}"),
    ("Slack token", "# it is", "xapp-1-A" + made_up(10) + "-" + made_up(40)),
    ("webhook address", "POST https://#\n", f"hooks.slack.com/services/T{made_up(9)}/B{made_up(9)}/{made_up(24)}"),
    ("Discord token", "DISCORD #", f"M{made_up(23)}.{made_up(6)}.{made_up(38)}"),
    ("OpenAI key", "# works", "sk-proj-" + made_up(48)),
    ("Anthropic key", "# works", "sk-ant-api03-" + made_up(60)),
    ("API key", "# works", "sk-" + made_up(48)),
    ("Google API key", "# for maps", "AIza" + made_up(34) + "-"),
    ("Stripe key", "# for cards", "sk_live_" + made_up(24)),
    ("npm token", "//registry/:_authToken=#", "npm_" + made_up(36)),
    ("PyPI token", "# to publish", "pypi-AgEIcHlwaS5vcmc" + made_up(80)),
    ("Hugging Face token", "# to download", "hf_" + made_up(34)),
    ("Telegram token", "bot #\n", "7123456789:" + made_up(35)),
    ("web token", "cookie #; path", JWT),
    ("web token", "#", f"eyJ{made_up(33)}.eyJ{made_up(6000)}.{made_up(43)}"),
    ("private key", "here:\n#\nkeep it", PEM),
    ("private key", '"key": "#"', PEM.replace("\n", "\\n")),
    ("private key", "#", a_private_key(120)),
    ("private key", "# and so on", "-----BEGIN OPENSSH PRIVATE KEY-----\n" + made_up(70)),
    ("private key", "#", a_private_key(3, "").replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENC\n\n", 1)),
    ("secret", "password: #", "Tr0ub4dor&3"),
    ("secret", 'DB_PASSWORD="#"', "hunter2hunter"),
    ("secret", '{"api_key": "#", "x": 1}', made_up(32)),
    ("secret", "密码：#。", "Wj8kd02!x"),
    ("secret", "The password is #, use it", "Tr0ub4dor&3x"),
    ("secret", "Mein Passwort ist #, geht das?", "Sommer2024!"),
    ("secret", "Das Kennwort lautet # und gilt ab heute", "Sommer2024!"),
    ("secret", "Kennwort: #", "Tr0ub4dor&3"),
    ("secret", "mon mot de passe est # depuis hier", "Tournesol#88"),
    ("secret", "Mot de passe : #\n", "Tr0ub4dor&3"),
    ("token", "Authorization: Bearer #", made_up(40)),
    ("token", "run it --token # now", made_up(30)),
    ("credentials", "Authorization: Basic #", "YWxhZGRpbjpvcGVuc2VzYW1l"),
    ("password", "postgres://svc:#@db-4.internal:5432/orders", "05mc4J1WRc"),
    ("password", "redis://:#@cache/0", "p@ss/w0rd"),
    ("card number", "card #.", "4111 1111 1111 1111"),
    ("card number", "card # ok", "5500005555555559"),
    ("card number", "amex #", "3782 822463 10005"),
    ("account number", "to # please", "DE89 3704 0044 0532 0130 00"),
    ("account number", "to #", "GB82WEST12345698765432"),
    ("account number", "to # today", "MT84MALT011000012345MTLCAST001S"),
]
LOOKALIKES = [
    "What does commit 9fceb02d0ae598e95dc970b74767f19372d61af8 change?",
    "UUID 123e4567-e89b-12d3-a456-426614174000, a secret of 32 bytes, a token: nothing more",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "Our order number is 4111-22-0098, where is it?",
    "order 4111111111111112 and 1234 5678 9012 3456",
    "The documentation's key AKIAIOSFODNN7EXAMPLE is not one.",
    "A GitHub token starts with ghp_ and a Slack one with xoxb-.",
    "password: required\ntoken: string\nsecret: ${SECRET}\napi_key = get_key()\npassword=os.environ['DB_PASSWORD']",
    "password: your-password-here, api_key: <API_KEY>, token=xxxxxxxxxxxx, pwd: ********",
    "The password is case-sensitive. The token is 1024 characters long. The secret was out.",
    "Das Kennwort ist groß zu schreiben. Das Passwort lautet anders als 2024. Le mot de passe est oublié depuis 2024.",
    "Files start with `-----BEGIN PRIVATE KEY-----` and end with `-----END PRIVATE KEY-----`.",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
    "postgres://user:password@localhost/db, https://localhost:8080/path/@scope, http://a/b:c@d, postgres://u:$PW@h",
    "Bearer authentication is described in RFC 6750. Basic training starts Monday.",
    "DE89 3704 0044 0532 0130 01 has a wrong check digit; GB82 is a plate; US12 is a road.",
    "scikit sk-learn-contrib-and-other-friends, risk-sk-assessment-department-of-the-firm",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "Call +49 30 9093676 at 10:30 on 2026-03-02; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16.",
    "Now One Might Need Other Modules: Node.js/Express-4.18.2",
]


@pytest.mark.parametrize(("name", "around", "secret"), SECRETS)
async def test_a_secret_is_taken_out_and_the_rest_stays(name: str, around: str, secret: str) -> None:
    before, after = around.split("#")
    verdict = await SecretsGuard().check(around.replace("#", secret))
    assert isinstance(verdict, Mask)
    assert f"[{name} removed]" in verdict.text
    assert secret not in verdict.text
    assert verdict.text.endswith(f"[{name} removed]{after}")
    assert AWS in before or verdict.text.startswith(before)


@pytest.mark.parametrize("text", LOOKALIKES)
async def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert await SecretsGuard().check(text) == Allow()
    assert (await watch(letters(text), SecretsGuard())).text == text


async def test_a_masked_text_is_masked_no_further() -> None:
    for _, around, secret in SECRETS:
        verdict = await SecretsGuard().check(around.replace("#", secret))
        assert isinstance(verdict, Mask)
        assert await SecretsGuard().check(verdict.text) == Allow()


def in_parts(secret: str) -> str:
    """A token as it comes out of a broken line, a string of a program, or Markdown."""
    joints = (" ", "\n", " \\\n  ", '" + "', "' '", "**", "`", "|", "\u00a0", "")
    at, parts = 0, []
    while at < len(secret):
        size = _random.choice((1, 3, 8, 20, 30))
        parts.append(secret[at : at + size] + _random.choice(joints))
        at += size
    return "".join(parts)


async def test_a_message_as_a_whole_is_read_like_one_in_pieces() -> None:
    """What says in one look that there is nothing in a whole message overlooks nothing."""
    discord = f"M{made_up(23)}.{made_up(6)}.{made_up(30)}"
    heads = ("password: ", "Authorization: Bearer ", "密码是", "Kennwort lautet ", "mot de passe est ", "--token ",
             "On 12 May ", "postgres://me:", "MY KEY IS ")
    masked = 0
    for number in range(600):
        secret = _random.choice((AWS, GITHUB, JWT, discord, "NRAK-" + made_up(27), "DE89370400440532013000"))
        told = in_parts(secret) if number % 3 else secret
        text = _random.choice(heads) + told + _random.choice((" ok", "@db", "."))
        scanner = Scanner()
        spans = [span for piece in (text, "") for span in scanner.read(piece, final=not piece)[1]]
        assert Scanner().read(text, final=True)[1] == spans, text
        masked += bool(spans)
    assert masked > 200


async def test_two_secrets_that_overlap_become_one() -> None:
    verdict = await SecretsGuard().check(f"token: {GITHUB}")
    assert verdict == Mask("token: [GitHub token removed]", "github", "secret")


PARTS = st.sampled_from([
    *(around.replace("#", secret) for _, around, secret in SECRETS if len(secret) < 400), *LOOKALIKES,
    " ", "\n", ": ", "=", "//", "@", "-", "-----", "-----BEGIN ", "ghp_", "AKIA", "sk-", "eyJ", "M", "DE89", "4111 ",
    "password",
    "is ", "Bearer ", '"', "`", "\\n", "\ud800", "\u200b", "e\u0301", "中文", "12", "x", "Z9",
])
TEXTS = st.lists(PARTS, max_size=10).map("".join)


@given(TEXTS, CUTS)
async def test_no_cut_changes_what_is_masked_and_nothing_else_is_lost(text: str, cuts: list[int]) -> None:
    verdict = await SecretsGuard().check(text)
    expected = verdict.text if isinstance(verdict, Mask) else text
    for pieces in (cut(text, cuts), letters(text)):
        seen = await watch(pieces, SecretsGuard())
        assert seen.text == expected
        assert all(expected.startswith(step) for step in seen.steps)    # no moment showed anything else


@given(st.sampled_from(SECRETS), st.text(max_size=20), st.text(max_size=20), CUTS)
async def test_not_a_character_of_a_secret_is_ever_seen(
    case: tuple[str, str, str], before: str, after: str, cuts: list[int],
) -> None:
    name, around, secret = case
    head, tail = around.split("#")
    text = f"{before} {head}"
    seen = await watch(cut(f"{text}{secret}{tail} {after}", cuts), SecretsGuard())
    masked = await SecretsGuard().check(text + secret + tail)
    assert isinstance(masked, Mask)
    if f"[{name} removed]" not in masked.text:      # it went with another, which what stands before it began
        assert not any(secret in step for step in seen.steps)
        return
    allowed = masked.text[: masked.text.rindex(f"[{name} removed]")]     # what stands before it, itself masked perhaps
    for step in seen.steps:
        assert step.startswith(allowed) or allowed.startswith(step)
        shown = step[len(allowed):]
        assert not shown or shown.startswith(f"[{name} removed]")


async def test_ordinary_words_are_not_held_back() -> None:
    text = "In the handbook you find that annual leave is 30 days a year; ask your lead at least 2 weeks before. " * 5
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    seen = await watch(pieces, SecretsGuard())
    behind = [4 * (number + 1) - len(step) for number, step in enumerate(seen.steps[:-1])]
    assert max(behind) <= 8


async def test_an_endless_secret_is_not_held_for_ever() -> None:
    endless = "ghp_" + "aB3" * 10_000
    seen = await watch([endless[at : at + 100] for at in range(0, len(endless), 100)], SecretsGuard())
    assert seen.text == "[GitHub token removed]"
    assert seen.steps[MAX_HOLD // 100 + 1] == seen.text


async def test_a_megabyte_in_one_piece() -> None:
    text = "Ask your lead at least 2 weeks before, says the handbook. " * 18_000
    assert (await watch([text + GITHUB], SecretsGuard())).text == text + "[GitHub token removed]"


def test_a_check_digit_decides_about_a_card() -> None:
    assert credentials.card("4111-1111-1111-1111", 0) == 19
    assert credentials.card("4111-1111-1111-1112", 0) == 0
    assert credentials.card("4111 1111 1111 1111 123", 0) == 19
    assert credentials.card("9111 1111 1111 1111", 0) == 0


def house(*changes: tuple[str, Change]) -> Rules:
    return Policy((Layer(changes=dict(changes)),)).rules_for()


TWO = f"token: {GITHUB}, id: AKIA{'ABCDEFGHIJ234567'}"


async def test_what_becomes_of_a_message_with_a_secret_is_the_policys_affair() -> None:
    async def said(*changes: tuple[str, Change]) -> Verdict:
        return await SecretsGuard(house(*changes)).check(TWO)

    assert await said() == await SecretsGuard().check(TWO)
    assert isinstance(await said(("secret", Change(Action.REFUSE))), Refuse)
    assert isinstance(await said(("secret.aws_key", Change(Action.REFUSE))), Refuse)
    assert await said(("secret", Change(Action.FLAG))) == Flag("aws_key", "secret")
    assert await said(("secret", Change(Action.ALLOW))) == Allow("aws_key", "secret")
    one = await said(("secret.aws_key", Change(Action.ALLOW)))
    assert isinstance(one, Mask)
    assert ("AKIA" in one.text, GITHUB in one.text) == (True, False)


async def test_a_shadow_over_one_kind_is_on_record_beside_what_is_done_about_another() -> None:
    verdict = await SecretsGuard(house(("secret.aws_key", Change(Action.REFUSE, shadow=True)))).check(TWO)
    assert isinstance(verdict, Mask)
    assert "AKIA" in verdict.text
    assert verdict.also == (Allow("shadow:refuse:aws_key", "secret"),)
    trail = Trail(TraceId("t1"))
    rules = house(("secret.aws_key", Change(Action.REFUSE, shadow=True)))
    await Inbound((SecretsGuard(rules),), str).first(TWO, trail)
    assert [(each.action, each.rule) for each in trail.decisions] == [
        ("allow", "shadow:refuse:aws_key"), ("mask", verdict.rule)]


async def test_so_it_is_in_answers() -> None:
    rules = house(("secret.aws_key", Change(shadow=True)))
    for pieces in ([TWO, " ok"], letters(TWO)):
        seen = await watch(pieces, Governed(SecretsGuard(), rules))
        assert ("AKIA" in seen.text, GITHUB in seen.text) == (True, False)
        assert {(each.action, each.rule) for each in seen.trail.decisions} >= {("allow", "shadow:mask:aws_key")}
        assert "mask" in {each.action for each in seen.trail.decisions}
