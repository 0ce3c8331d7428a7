"""Keys at rest."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from labeling.llm.secrets import UnreadableSecret, reseal, seal, unseal
from tests.labeling.llm.calling import KEY


@hypothesis_settings(max_examples=30, deadline=None, derandomize=True)
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_what_is_sealed_opens_again(text):
    assert unseal(seal(text)) == text


def test_sealing_twice_gives_two_tokens_without_the_text():
    one, other = seal(KEY), seal(KEY)
    assert one != other
    assert KEY not in one + other


@pytest.mark.parametrize("token", ["", "nothing", "gAAAA", "ä", seal(KEY)[:-4] + "AAAA"])
def test_what_was_changed_does_not_open_and_the_error_says_nothing(token):
    with pytest.raises(UnreadableSecret) as error:
        unseal(token)
    assert (str(error.value), error.value.__cause__) == ("", None)


def test_resealing_moves_a_key_to_the_newest_secret(settings):
    old = settings.SECRET_KEY
    token = seal(KEY)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one " * 6, [old]
    moved = reseal(token)
    settings.SECRET_KEY_FALLBACKS = []
    assert unseal(moved) == KEY
    with pytest.raises(UnreadableSecret):
        reseal(token)
