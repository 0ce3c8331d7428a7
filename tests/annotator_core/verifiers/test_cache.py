"""The exact cache's key: equal requests are equal, and whatever changes one changes the key."""

from dataclasses import replace

from annotator_core.verifiers.cache import call_key
from annotator_core.verifiers.contract import Message, Plan, Strategy

PLAN = Plan(("a", "b"))
MESSAGES = (Message("system", "one of: a, b"), Message("user", "a text"))
SAME = ("https://host/v1 model", PLAN, MESSAGES, 16, 0.0, 0, 0)


def test_key_is_stable() -> None:
    assert call_key(*SAME) == "15aa0becfaf30c8b60dddcb6f1263de540e8bc2dac2dc142f5098566d0e44df1"
    assert call_key(*SAME[:4], 0, 0, 0) == call_key(*SAME)


def test_all_that_is_sent_counts() -> None:
    others = [
        ("https://host/v1 other", *SAME[1:]),
        (SAME[0], replace(PLAN, classes=("b", "a")), *SAME[2:]),
        (SAME[0], replace(PLAN, strategy=Strategy.CHAIN_OF_THOUGHT), *SAME[2:]),
        (*SAME[:2], MESSAGES[::-1], *SAME[3:]),
        (*SAME[:2], (MESSAGES[0], Message("user", "a text ")), *SAME[3:]),
        (*SAME[:2], (MESSAGES[0], Message("assistant", "a text")), *SAME[3:]),
        (*SAME[:3], 17, *SAME[4:]),
        (*SAME[:4], 0.1, 0, 0),
        (*SAME[:5], 1, 0),
        (*SAME[:5], 0, 1),
    ]
    assert len({call_key(*one) for one in [SAME, *others]}) == len(others) + 1


def test_words_cannot_move_from_one_message_to_the_next() -> None:
    one = (Message("user", 'a", "b'), Message("user", "c"))
    other = (Message("user", "a"), Message("user", 'b", "c'))
    assert call_key(*SAME[:2], one, 16, 0.0, 0, 0) != call_key(*SAME[:2], other, 16, 0.0, 0, 0)


def test_lone_surrogates_have_a_key() -> None:
    assert len(call_key(*SAME[:2], (Message("user", "\ud800"),), 16, 0.0, 0, 0)) == 64
