"""What identifies a text and which texts cannot be voted on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.texts import find_flaw, hash_text


def test_hash_text_is_blake2b_128_of_the_utf8_bytes() -> None:
    assert hash_text("") == "cae66941d9efbd404e4d88758ea67670"
    assert len(hash_text("naïve 🙂")) == 32


@given(st.text(), st.text())
def test_hash_text_is_equal_only_for_equal_texts(one: str, other: str) -> None:
    assert (hash_text(one) == hash_text(other)) == (one == other)


def test_hash_text_lone_surrogate_is_refused_with_its_place() -> None:
    with pytest.raises(BadInput, match="lone surrogate at character 3"):
        hash_text("ab\ud800")


@pytest.mark.parametrize(
    ("text", "word"), [(None, "missing"), (7, "missing"), ("", "empty"), (" \n\t", "empty"), ("a\udc00b", "surrogate")]
)
def test_find_flaw_names_what_is_wrong(text: object, word: str) -> None:
    flaw = find_flaw(text)
    assert flaw is not None
    assert word in flaw


@pytest.mark.parametrize("text", ["x", "NA", "naïve 🙂", "a" * 1_000_000])
def test_find_flaw_of_a_usable_text_is_none(text: str) -> None:
    assert find_flaw(text) is None
