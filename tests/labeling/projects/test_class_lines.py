import pytest

from labeling.projects.actions import ClassSpec
from labeling.projects.class_lines import format_class_lines, parse_class_lines
from labeling.projects.presets import PRESETS
from labeling.web.errors import ActionError


def test_lines_with_and_without_description_and_key():
    text = "bad | Something broke | x\n\n  good\t It works\t2\nother"
    assert parse_class_lines(text) == [
        ClassSpec("bad", "Something broke", "x"),
        ClassSpec("good", "It works", "2"),
        ClassSpec("other"),
    ]


@pytest.mark.parametrize("line", ["| no name", "a | b | c | d"])
def test_a_bad_line_is_named(line):
    with pytest.raises(ActionError, match="Line 2"):
        parse_class_lines(f"fine\n{line}")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)
def test_a_preset_s_lines_read_back(preset):
    specs = parse_class_lines(preset.lines)
    assert [(spec.name, spec.description) for spec in specs] == [(str(a), str(b)) for a, b in preset.classes]
    assert format_class_lines(specs) == preset.lines
