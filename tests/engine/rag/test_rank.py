"""Orders are fused by rank, and the short list repeats nothing."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.rag.rank import fuse, spread

RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=8), max_size=4)


def test_what_both_find_comes_before_what_one_finds_first() -> None:
    assert [key for key, _ in fuse(["a", "b"], ["c", "b"])] == ["b", "a", "c"]


def test_the_score_is_the_published_one() -> None:
    assert dict(fuse(["a", "b"], ["b"], k=60)) == {"b": 1 / 62 + 1 / 61, "a": 1 / 61}


def test_a_weight_counts_for_its_ranking() -> None:
    assert dict(fuse(["a"], ["b"], k=1, weights=(0.6, 0.4))) == {"a": 0.6 / 2, "b": 0.4 / 2}


@given(RANKINGS)
def test_fusing_keeps_every_id_once_and_best_first(rankings: list[list[str]]) -> None:
    fused = fuse(*rankings)
    assert sorted(key for key, _ in fused) == sorted({key for ranking in rankings for key in ranking})
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


@given(RANKINGS)
def test_repetitions_inside_a_ranking_change_nothing(rankings: list[list[str]]) -> None:
    doubled = [[key for key in ranking for _ in range(2)] for ranking in rankings]
    assert fuse(*doubled) == fuse(*([*dict.fromkeys(ranking)] for ranking in rankings))


@given(RANKINGS)
def test_the_order_of_two_equal_rankings_does_not_matter(rankings: list[list[str]]) -> None:
    assert [key for key, _ in fuse(*rankings)] == [key for key, _ in fuse(*reversed(rankings))]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5))), st.integers(0, 8), st.integers(1, 3))
def test_a_short_list_has_no_content_twice_and_few_of_one_document(
    ranked: list[tuple[str, int]], limit: int, each: int
) -> None:
    taken = spread(ranked, limit=limit, each=each, document=lambda item: item[0], content=lambda item: str(item[1]))
    assert len(taken) <= limit
    assert len({content for _, content in taken}) == len(taken)
    assert all(count <= each for count in Counter(document for document, _ in taken).values())
    assert list(taken) == sorted(taken, key=ranked.index)


@given(st.lists(st.integers()))
def test_nothing_is_left_out_without_a_reason(ranked: list[int]) -> None:
    taken = spread(ranked, limit=99, document=str, content=str)
    assert list(taken) == list(dict.fromkeys(ranked))[:99]
