"""What a secret looks like: prefixes, shapes and checksums, and what only looks like one.

Pure judgements over a piece of text that has been cut out already; who cuts is `engine.guards.secrets`.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from typing import Final

import re2

MAX_TOKEN: Final = 4096
"""Characters of one token that are looked at together."""

# rule, name for the reader, prefixes (each is a way in), pattern. The patterns are anchored at the prefix.
_TOKENS: Final[tuple[tuple[str, str, tuple[str, ...], str], ...]] = (
    ("aws_key", "AWS key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"A[KSBC][IC]A[A-Z0-9]{16,}"),
    ("github", "GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{30,}"),
    ("github", "GitHub token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{30,}"),
    ("gitlab", "GitLab token", ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-", "glimt-"),
     r"gl(?:pat|dt|rt|ptt|cbt|soat|ft|imt)-[A-Za-z0-9_\-]{18,}(?:\.[A-Za-z0-9_\-.]{2,})?"),
    ("slack", "Slack token", ("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxc-", "xoxd-", "xoxe-", "xoxe."),
     r"xox[bparscde][\-.][A-Za-z0-9\-.]{10,}"),
    ("slack", "Slack token", ("xapp-",), r"xapp-[A-Za-z0-9\-]{10,}"),
    ("webhook", "webhook address", ("hooks.slack.com/services/",),
     r"hooks\.slack\.com/services/T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9_]{8,}"),
    ("webhook", "webhook address", ("discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
     r"discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/[A-Za-z0-9_\-]{30,}"),
    ("discord", "Discord token", ("M", "N", "O"),
     r"[MNO][A-Za-z0-9_\-]{22,28}\.[A-Za-z0-9_\-]{6,7}\.[A-Za-z0-9_\-]{27,}"),
    ("api_key", "API key", ("sk-",), r"sk-[A-Za-z0-9_\-]{20,}"),
    ("google", "Google API key", ("AIza",), r"AIza[A-Za-z0-9_\-]{35,}"),
    ("google", "Google token", ("ya29.",), r"ya29\.[A-Za-z0-9_\-.]{20,}"),
    ("google", "Google client secret", ("GOCSPX-",), r"GOCSPX-[A-Za-z0-9_\-]{20,}"),
    ("stripe", "Stripe key", ("sk_live_", "sk_test_", "rk_live_", "rk_test_"), r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("webhook", "webhook secret", ("whsec_",), r"whsec_[A-Za-z0-9+/]{20,}"),
    ("npm", "npm token", ("npm_",), r"npm_[A-Za-z0-9]{30,}"),
    ("pypi", "PyPI token", ("pypi-",), r"pypi-[A-Za-z0-9_\-]{40,}"),
    ("token", "Hugging Face token", ("hf_",), r"hf_[A-Za-z0-9]{30,}"),
    ("token", "SendGrid key", ("SG.",), r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{30,}"),
    ("token", "DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{40,}"),
    ("token", "Vault token", ("hvs.", "hvb.", "hvr."), r"hv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    ("token", "Docker token", ("dckr_pat_", "dckr_oat_"), r"dckr_[po]at_[A-Za-z0-9_\-]{20,}"),
    ("token", "Shopify token", ("shpat_", "shpss_", "shpca_", "shppa_"), r"shp(?:at|ss|ca|pa)_[A-Fa-f0-9]{32,}"),
    ("token", "Databricks token", ("dapi",), r"dapi[a-f0-9]{32,}(?:-[0-9])?"),
    ("token", "Atlassian token", ("ATATT3", "ATCTT3"), r"AT[AC]TT3[A-Za-z0-9_\-=]{40,}"),
    ("token", "Grafana token", ("glsa_", "glc_"), r"gl(?:sa|c)_[A-Za-z0-9_+/=]{30,}"),
    ("token", "API key", ("gsk_", "xai-", "r8_", "lin_api_", "ntn_", "figd_", "PMAK-", "NRAK-", "tskey-", "rubygems_"),
     r"(?:gsk_|xai-|r8_|lin_api_|ntn_|figd_|PMAK-|NRAK-|tskey-|rubygems_)[A-Za-z0-9_\-]{24,}"),
    ("private_key", "private key", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    # The second form is a token that is longer than is looked at together.
    ("jwt", "web token", ("eyJ",),
     r"eyJ[A-Za-z0-9_\-]{8,}(?:(?:\.[A-Za-z0-9_\-]{8,}){2}(?:\.[A-Za-z0-9_\-]*){0,2}|\.[A-Za-z0-9_\-]{900,})"),
)
NAMES: Final = frozenset(name for _, name, *_ in _TOKENS) | {"Anthropic key", "OpenAI key"}
PREFIXES: Final = tuple(prefix for *_, prefixes, _ in _TOKENS for prefix in prefixes)
_TOKEN: Final = re2.compile("|".join(f"({pattern})" for *_, pattern in _TOKENS))
_SHORTEST: Final = 15           # characters of a token; one of Slack's is the shortest
_SHORT: Final = re.compile(r"[MNO][A-Za-z0-9_\-]{0,21}\.")
_GLUED: Final = re.compile(r"[A-Za-z0-9_\-]*")
_PLACEHOLDER: Final = re.compile(
    r"example|placeholder|redacted|removed|your[_\-. ]|your(?:key|token|secret|password|api)|[_\-]here\b|x{5,}|\*{3,}"
    r"|\.{3}|…|change[_\-]?me|dummy|insert[_\-]|replace[_\-]|0{12,}",
    re.IGNORECASE,
)
_PLAIN_WORDS: Final = frozenset(
    ("password", "passwd", "pass", "pwd", "pw", "secret", "token", "key", "user", "username", "none", "null", "nil",
     "true", "false", "string", "changeit")
)
_CODE: Final = re.compile(r"[$<({%\[]|[A-Za-z_]+(?:\.[A-Za-z_]+)*[(\[]|[~.]{0,2}/|https?://|[A-Za-z_]+(?:\.[A-Za-z_]+)+$")
_HYPHENATED: Final = re.compile(r"[A-Za-z]+\d{0,4}(?:[-_][A-Za-z]+\d{0,2})+")
_SYMBOLS: Final = frozenset("!@#$%^&*?~+=|")
_CARD: Final = re.compile(
    r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1(\d{3}))?(?!\d)|\d{4}[ -]\d{6}[ -]\d{4,5}(?!\d)|\d{12,19}(?!\d)"
)
_CARD_PREFIX: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[68]\d)\d{11}|62\d{14,17}"
)
IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FO GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV", 29: "BR EG PS QA UA",
        30: "JO KW MU", 31: "MT SC",
    }.items()
    for country in countries.split()
}


def token(run: str) -> tuple[int, str, str] | None:
    """Length, rule and name of the token that ``run`` begins with, and of what is glued to it. ASCII only."""
    found = _TOKEN.match(run) if len(run) >= _SHORTEST else None
    if not found:
        return None
    rule, name, _, _ = _TOKENS[found.lastindex - 1]
    text = found.group()
    if _PLACEHOLDER.search(text):
        return None
    if rule == "aws_key" and (len(text) != 20 or run[20:21].isalnum()):
        return None                     # base64 that happens to hold the four letters
    if rule == "api_key":
        if text.startswith("sk-ant-"):
            name = "Anthropic key"
        elif not any(c.isdigit() for c in text) or entropy(text) < 3.5:   # sk-learn-contrib-and-friends
            return None
        elif text.startswith("sk-proj-"):
            name = "OpenAI key"
    glued = _GLUED.match(run, len(text))
    return glued.end() if glued else len(text), rule, name


def hopeless(run: str) -> bool:
    """Whether no token begins like this, although its prefix does: "No." need not be held up for what follows."""
    return bool(_SHORT.match(run))


def entropy(text: str) -> float:
    """Shannon's, in bits for each character."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values()) if size else 0.0


def password(value: str, *, loose: bool) -> bool:
    """Whether the value behind ``password:`` is one. ``loose``: it was only said in a sentence, so more is asked."""
    if len(value) < (8 if loose else 6) or value.isdigit() or _CODE.match(value) or placeholder(value):
        return False
    if _HYPHENATED.fullmatch(value):
        return len(value) > 20 and sum(c.isdigit() for c in value) > 3
    lower, upper = any(c.islower() for c in value), any(c.isupper() for c in value)
    digit, symbol = any(c.isdigit() for c in value), any(c in _SYMBOLS for c in value[1:])
    if lower + upper + digit + symbol < (3 if loose else 2) or not (digit or symbol):
        return False
    return entropy(value) >= (2.5 if loose else 2.2)


def bearer(value: str) -> bool:
    """Whether what follows ``Bearer`` is a token, not a word."""
    return (
        len(value) >= 16 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
        and entropy(value) >= 3.0 and not placeholder(value)
    )


def basic(value: str) -> bool:
    """Whether what follows ``Basic`` is a user and a password."""
    try:
        return len(value) >= 8 and b":" in base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False


def placeholder(value: str) -> bool:
    """Something to be filled in."""
    return bool(_PLACEHOLDER.search(value)) or value.lower() in _PLAIN_WORDS or len(set(value)) <= 2


def aws_secret(value: str) -> bool:
    """Forty characters that could be the other half of an AWS key."""
    return entropy(value) >= 3.5 and any(map(str.isdigit, value)) and any(map(str.isupper, value))


def card(text: str, start: int) -> int:
    """Where the payment card number that begins at ``start`` ends; 0 for none.

    The check digit decides, except for four blank-separated groups of four: nothing else is written like
    that, and a card number with a slip in it is still one that should not travel.
    """
    found = _CARD.match(text, start)
    if not found:
        return 0
    ends = [found.end()]
    if found.group(2):                  # the last three digits may be a number of their own
        ends.append(found.start(2) - 1)
    for end in ends:
        digits = "".join(c for c in text[start:end] if c.isdigit())
        if digits.isascii() and _CARD_PREFIX.fullmatch(digits) and (
            _luhn(digits) or (found.group(1) == " " and len(digits) == 16)
        ):
            return end
    return 0


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def iban(number: str) -> bool:
    """Modulo 97, over the number without blanks."""
    moved = number[4:] + number[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1
