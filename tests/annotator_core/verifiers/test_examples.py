"""Examples: the nearest verified texts, and never the sample itself, a copy of it or an audit row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.texts import hash_text
from annotator_core.verifiers.contract import Example
from annotator_core.verifiers.examples import choose

POOL = {
    "the flight was late again": "negative",
    "the flight was on time": "positive",
    "my bag is lost": "negative",
    "thank you so much": "positive",
    "what gate is it": "neutral",
}


def _choose(queries, n=2, excluded=(), pool=POOL):
    texts = list(pool)
    hashes, asked = [hash_text(text) for text in texts], [hash_text(query) for query in queries]
    return choose(texts, list(pool.values()), hashes, queries, asked, n, {hash_text(text) for text in excluded})


def test_the_most_similar_stands_next_to_the_question():
    ((_other, nearest),) = _choose(["the flight was late"])
    assert nearest == Example("the flight was late again", "negative")


def test_each_query_has_its_own():
    found = _choose(["my bags are lost", "many thanks, thank you"], n=1)
    assert found == [(Example("my bag is lost", "negative"),), (Example("thank you so much", "positive"),)]


def test_the_sample_itself_never_shows():
    ((only,),) = _choose(["my bag is lost"], n=1)
    assert only.text != "my bag is lost"


@pytest.mark.parametrize("copy", ["My bag is lost", "my  bag is\nlost ", "MY BAG IS LOST"])
def test_a_copy_in_other_case_or_spacing_does_not_either(copy):
    assert "my bag is lost" not in {example.text for example in _choose([copy], n=5)[0]}


def test_audit_rows_never_show():
    found = _choose(["the flight was late"], n=5, excluded=["the flight was late again", "what gate is it"])
    assert {example.text for example in found[0]} == {"the flight was on time", "my bag is lost", "thank you so much"}


def test_a_text_shows_once_however_often_it_was_verified():
    texts, hashes = ["a b c"] * 3, [hash_text("a b c")] * 3
    assert choose(texts, ["x"] * 3, hashes, ["a b"], [hash_text("a b")], 3, ()) == [(Example("a b c", "x"),)]


@pytest.mark.parametrize(("n", "pool"), [(0, POOL), (3, {})])
def test_there_may_be_none(n, pool):
    assert _choose(["a text", "another"], n, pool=pool) == [(), ()]


def test_texts_without_words_can_be_compared():
    assert len(_choose(["!", "好", " "], n=1, pool={"?": "a", "坏": "b"})) == 3
    assert _choose(["x"], n=1, pool={"\t": "a"}) == [(Example("\t", "a"),)]


def test_texts_without_spaces_are_compared_by_their_signs():
    assert _choose(["航班晚点了"], n=1, pool={"航班又晚点": "a", "谢谢你": "b"}) == [(Example("航班又晚点", "a"),)]


def test_many_queries_go_block_by_block():
    queries = [f"the flight was late {number}" for number in range(600)]
    assert {found[-1].text for found in _choose(queries)} == {"the flight was late again"}


_TEXTS = st.lists(st.text("ab ", min_size=1, max_size=6), min_size=1, max_size=8)


@given(_TEXTS, _TEXTS, _TEXTS, st.integers(0, 4), st.randoms())
def test_nothing_leaks_and_order_changes_nothing(texts, queries, excluded, n, random):
    rows = [(text, str(index % 2), hash_text(text)) for index, text in enumerate(dict.fromkeys(texts))]
    asked, barred = [hash_text(query) for query in queries], {hash_text(text) for text in excluded}
    found = choose(*map(list, zip(*rows, strict=True)), queries, asked, n, barred)
    for query, examples in zip(queries, found, strict=True):
        hashes = [hash_text(example.text) for example in examples]
        assert len(set(hashes)) == len(hashes) <= n
        assert not {hash_text(query), *barred} & set(hashes)
    random.shuffle(rows)
    assert choose(*map(list, zip(*rows, strict=True)), queries, asked, n, barred) == found


def test_equally_unlike_ones_go_by_hash():
    pool = dict.fromkeys(("xx", "yy", "zz"), "a")
    first = min(pool, key=hash_text)
    assert _choose(["qq"], n=1, pool=pool)[0][0].text == first
    assert _choose(["qq"], n=1, pool=dict(reversed(pool.items())))[0][0].text == first


@pytest.mark.parametrize(
    "columns", [(["a"], [], ["h"], ["q"], ["h"], 1), (["a"], ["x"], ["h"], ["q"], [], 1), ([], [], [], [], [], -1)]
)
def test_impossible_columns_are_refused(columns):
    with pytest.raises(BadInput):
        choose(*columns, ())
