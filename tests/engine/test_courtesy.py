"""What asks nothing, and what only sounds like it."""

from __future__ import annotations

import pytest

from engine.courtesy import asks_nothing


@pytest.mark.parametrize("text", [
    "thank you!", "Thanks a lot :)", "ok thanks", "Hi there!", "Good morning everyone", "Perfect, thank you so much 🎉",
    "thanks for your help", "Guten Morgen", "Vielen Dank!", "merci beaucoup", "谢谢！", "你好",
])
def test_a_greeting_asks_nothing(text: str) -> None:
    assert asks_nothing(text)


@pytest.mark.parametrize("text", [
    "", "👍", "yes", "no", "day", "thanks?", "hi, who approves leave", "thanks, and for part-timers", "leave", "you",
    "ok, next one: parental leave", "good day rate", "help", "thanks " * 20, "谢谢，年假有几天",
])
def test_everything_else_may_ask_something(text: str) -> None:
    assert not asks_nothing(text)
