"""Which addresses a robots.txt closes: the examples of RFC 9309, and what hosts write besides."""

from __future__ import annotations

import pytest

from adapters.sources.robots import MOST_RULES, read

HOST = "https://wiki.acme.example"


def allowed(rules: str, *paths: str) -> list[str]:
    robots = read(rules, "bartizan")
    return [path for path in paths if robots.allows(HOST + path)]


def test_the_longest_rule_decides_in_whatever_order_they_stand() -> None:
    rules = "User-agent: *\nDisallow: /\nAllow: /docs/\nDisallow: /docs/draft"
    assert allowed(rules, "/", "/wiki", "/docs/a.html", "/docs/drafts.html") == ["/docs/a.html"]


def test_of_two_as_long_the_one_that_opens_decides() -> None:
    assert allowed("User-agent: *\nDisallow: /page\nAllow: /page", "/page") == ["/page"]


def test_a_star_is_anything_and_a_dollar_the_end() -> None:
    rules = "User-agent: *\nDisallow: /*?print=\nDisallow: /*.pdf$\nDisallow: /a*b*c$"
    assert allowed(rules, "/a?print=1", "/x/y.pdf", "/x.pdf.html", "/a?page=1", "/abbc", "/abbcd", "/abc/c") == [
        "/x.pdf.html", "/a?page=1", "/abbcd"]


@pytest.mark.parametrize("rules", [
    "User-agent: Bartizan/1.0\nDisallow: /hr\n\nUser-agent: *\nDisallow: /it",
    "user-agent: other\nuser-agent: bartizan\ndisallow: /hr # people\n\nUser-agent: *\nDisallow: /it",
    "User-agent: bartizan\nAllow: /x\nUser-agent: *\nDisallow: /it\nUser-agent: bartizan\nDisallow: /hr",
])
def test_the_group_that_names_us_is_the_one_that_counts(rules: str) -> None:
    assert allowed(rules, "/hr/pay", "/it/vpn") == ["/it/vpn"]


def test_an_address_is_the_same_however_it_is_escaped() -> None:
    rules = "User-agent: *\nDisallow: /l%c3%b6hne\nDisallow: /büro\nDisallow: /%7Eann"
    assert allowed(rules, "/l%C3%B6hne.html", "/b%C3%BCro", "/~ann/x", "/lohne.html") == ["/lohne.html"]


@pytest.mark.parametrize("rules", ["", "Disallow: /", "User-agent: *\nDisallow:", "User-agent: *\n\nnothing", "\0:\0"])
def test_who_says_nothing_closes_nothing(rules: str) -> None:
    assert allowed(rules, "/a") == ["/a"]


def test_many_stars_take_no_longer_than_a_look() -> None:
    assert allowed("User-agent: *\nDisallow: /" + "*a" * 2000 + "b$", "/" + "a" * 2000) == ["/" + "a" * 2000]


def test_what_is_long_is_read_once_and_only_what_is_about_us_is_kept() -> None:
    """Names times rules would be a hundred million here, and half a minute or more."""
    rules = "User-agent: other\n" * 10_000 + "Disallow: /\n" * 10_000
    group = f"User-agent: bartizan\n{rules}"
    assert allowed(rules, "/a") == ["/a"]
    assert allowed(group, "/a") == []
    assert len(read(group, "bartizan").rules) == MOST_RULES
