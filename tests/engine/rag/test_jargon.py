"""Short forms are written out, and what only looks like one stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rag.jargon import LONG, shortened, spelled_out


@pytest.mark.parametrize(("written", "meant"), [
    ("should deps be locked too?", "should dependencies be locked too?"),
    ("Who has the PROD db creds?", "Who has the production database credentials?"),
    ("which a11y checks run", "which accessibility checks run"),
    ("what's the max, and the PTO?", "what's the maximum, and the paid time off?"),
    ("read /etc/db/config", "read /etc/db/config"),
    ("config.yaml or env.py of prod-eu, db@acme.example", "config.yaml or env.py of prod-eu, db@acme.example"),
    ("who reads #prod", "who reads #prod"),
    ("a production environment", "a production environment"),
    ("年假 max 几天", "年假 maximum 几天"),
])
def test_what_is_short_is_written_out(written: str, meant: str) -> None:
    assert spelled_out(written) == meant
    assert bool(shortened(written)) == (written != meant)


def test_each_short_form_is_named_once_with_its_long_one() -> None:
    assert shortened("DB, db and the prod DB") == {"db": "database", "prod": "production"}


@given(st.text())
def test_nothing_else_changes(text: str) -> None:
    once = spelled_out(text)
    assert spelled_out(once) == once
    assert shortened(text) or once == text


def test_no_long_form_is_short_itself() -> None:
    assert not [long for long in LONG.values() if shortened(long)]
