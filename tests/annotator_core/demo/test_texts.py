"""The demo's texts: what the files promise, and that the script writes exactly the files in the repository."""

import csv
import random
from collections import Counter
from pathlib import Path

from annotator_core import demo
from annotator_core.demo.wording import choose_wording, fill_in, join_sentences
from annotator_core.demo.write_texts import write_all
from annotator_core.refine.gate import ROWS_NEEDED
from annotator_core.refine.training_set import gate_half
from annotator_core.texts import hash_text


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_feedback_has_1600_rows_of_which_20_repeat_a_text() -> None:
    rows = read_rows(demo.feedback_path())
    repeats = [count for count in Counter(row["text"] for row in rows).values() if count > 1]
    assert list(rows[0]) == ["order_id", "channel", "text", "gold"]
    assert (len(rows), len(repeats), set(repeats)) == (1600, 20, {2})
    assert len({row["order_id"] for row in rows}) == 1600


def test_feedback_covers_each_class_and_several_scripts() -> None:
    rows = read_rows(demo.feedback_path())
    counts = Counter(row["gold"] for row in rows)
    assert sorted(counts) == sorted(demo.CLASSES)
    assert min(counts.values()) > 400
    joined = "".join(row["text"] for row in rows)
    assert all(sign in joined for sign in "שش😡é£€")


def test_feedback_texts_have_3_to_45_words() -> None:
    lengths = [len(row["text"].split()) for row in read_rows(demo.feedback_path())]
    assert (min(lengths) >= 3, max(lengths) <= 45) == (True, True)


def test_training_and_feedback_share_no_text() -> None:
    feedback = {row["text"].casefold() for row in read_rows(demo.feedback_path())}
    training = {row["text"].casefold() for row in read_rows(demo.training_path())}
    assert (len(training), feedback & training) == (3000, set())


def test_verified_texts_are_1500_and_in_no_other_file() -> None:
    rows = read_rows(demo.verified_path())
    others = {
        row["text"].casefold() for path in (demo.feedback_path(), demo.training_path()) for row in read_rows(path)
    }
    assert list(rows[0]) == ["order_id", "channel", "text", "gold"]
    assert len({row["text"].casefold() for row in rows} - others) == len({row["order_id"] for row in rows}) == 1500
    assert sorted({row["gold"] for row in rows}) == sorted(demo.CLASSES)


def test_verified_texts_are_enough_for_a_gate_to_decide() -> None:
    """Without the audit frame, the 300 smallest hashes of an import, and without anybody's decision."""
    hashes = sorted(hash_text(row["text"]) for row in read_rows(demo.verified_path()))
    halves = Counter(gate_half(text_hash) for text_hash in hashes[300:])
    assert halves["decide"] >= ROWS_NEEDED


def test_script_writes_the_files_of_the_repository(tmp_path: Path) -> None:
    write_all(tmp_path)
    for path in (demo.feedback_path(), demo.training_path(), demo.verified_path()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_choose_wording_takes_one_of_each_braces_innermost_first() -> None:
    assert choose_wording("{a{b|b}c|abc} {|}.", random.Random(1)) == "abc."


def test_fill_in_leaves_no_slot_and_fits_the_article() -> None:
    texts = [fill_in("a <item> from <city> to <city2>", random.Random(seed)) for seed in range(40)]
    assert not any("<" in text or text.startswith(("A air", "A esp", "A off")) for text in texts)


def test_join_sentences_goes_on_in_small_letters_after_a_comma() -> None:
    assert join_sentences(["Hi,", "Where is it?", "Thanks"]) == "Hi, where is it? Thanks."
    assert join_sentences(["Hi,", "Heronpost lost it", "Tom"]) == "Hi, Heronpost lost it. Tom"


def test_guideline_names_every_class() -> None:
    assert all(f"**{name}**" in demo.guideline() for name in demo.CLASSES)


def test_label_maps_cover_the_classes() -> None:
    for name, label_map in demo.label_maps().items():
        assert name in demo.SPECIALIST_NAMES
        assert sorted(label_map.values()) == sorted(demo.CLASSES)
