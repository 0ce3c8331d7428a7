"""Texts in pieces (C44)."""

import pytest

from labeling.web.templatetags.texts import PART, text_parts, whole_text


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", [0]),
        ("a" * PART, [PART]),
        ("a" * (PART + 1), [PART, 1]),
        ("a" * 100 + "\n" + "b" * PART, [101, PART]),
        ("a" * 100 + " " + "b" * PART, [101, PART]),
        ("a b\n" + "c " * PART, [4, PART, PART]),
    ],
)
def test_c44_pieces_end_where_a_line_ends(text, lengths):
    parts = text_parts(text)
    assert [len(part) for part in parts] == lengths
    assert "".join(parts) == text


def test_s06_pieces_are_escaped():
    piece = "&lt;b&gt;" + "a" * (PART - 3)
    assert whole_text("<b>" + "a" * PART) == f'<span class="text-part">{piece}</span><span class="text-part">aaa</span>'
    assert not hasattr(whole_text("<b>"), "__html__")
