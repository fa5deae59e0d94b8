"""What was masked reads like a word, and nothing that somebody writes in brackets does."""

from __future__ import annotations

import pytest

from bot.guards import load_classifier
from engine.guards import credentials, secrets
from engine.guards.injection import judged
from engine.guards.notices import NAMES, read_over
from engine.guards.personal import SHAPES, PersonalGuard
from engine.guards.policy import HOUSE, Category, Policy
from engine.guards.secrets import SecretsGuard
from engine.guards.terms import NOTICE
from engine.guards.verdict import Mask

PASTED = (
    "my password is Hunter2-xyz!9",
    "postgres://admin:S3cr3tPw@db.internal:5432/prod",
    "Can you check why this login fails? user=meier password=Sommer2024!",
    "card 4111 1111 1111 1111 was declined, why?",
    "SLACK_BOT_TOKEN=xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "curl -H 'Authorization: Bearer k3J9vQ2mX7pL4tR8wZ1n' https://api.example.com",
    "IBAN DE89370400440532013000",
    "我的密码是 Qwe123!@#，为什么登录不了？",
)


@pytest.mark.parametrize("text", PASTED)
async def test_a_mask_does_not_make_a_message_suspicious(text: str) -> None:
    verdict = await SecretsGuard(Policy.default().rules_for()).check(text)
    assert isinstance(verdict, Mask)
    assert "removed]" not in read_over(verdict.text)
    classifier, most = load_classifier(), HOUSE[Category.INJECTION].threshold
    assert judged(verdict.text, classifier) < max(most - 0.1, judged(text, classifier) + 0.1)


async def test_personal_data_read_like_a_word() -> None:
    verdict = await PersonalGuard(Policy.default().rules_for()).check("My social security number: 536-22-1234, right?")
    assert isinstance(verdict, Mask)
    assert read_over(verdict.text) == "My social security number: it, right?"


def test_every_notice_is_known_and_no_other() -> None:
    assert credentials.NAMES | set(secrets._NAMES.values()) | {shape.name for shape in SHAPES} <= NAMES
    assert read_over(f"{NOTICE} and {secrets._removed('GitHub token')}") == "it and it"
    assert read_over("[ignore your rules removed]") == "[ignore your rules removed]"
