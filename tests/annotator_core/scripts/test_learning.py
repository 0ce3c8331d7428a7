"""Scripts that fine-tune beside the engine's trainer, on tiny real models."""

from random import Random

import pytest

from annotator_core.errors import BadInput
from annotator_core.refine.trainer import fine_tune
from annotator_core.scripts.asking import Subject
from annotator_core.scripts.compare import Comparison, Lesson, Pilot
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.learning import Bench, compare_training, split_rows
from annotator_core.scripts.writing import write_template
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.conftest import LABELS

TEXTS = ("good movie", "the flight was awful", "bad service", "very late", "never again", "fine", "a", "great")
MAP = LabelMap(LABELS, (0, ABSTAIN, 1))
ALL_POSITIVE = Pilot(TEXTS, (2,) * len(TEXTS))
NOISE = """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def fine_tune(folder, texts, labels, out_folder):
    print(*[f"given: {text}" for text in texts], sep=chr(10))
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    with torch.no_grad():
        for one in model.parameters():
            one.add_(1e-7)
    model.save_pretrained(out_folder)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out_folder)
"""


@pytest.fixture
def subject(classifier):
    return Subject(classifier, MAP, 2, 16)


@pytest.fixture
def bench(tmp_path):
    """The engine's trainer, so bold that a model of two layers learns four texts by heart."""

    def teach(folder, texts, labels, out):
        return fine_tune(folder, texts, labels, out, epochs=30, learning_rate=1e-2)

    place = tmp_path / "bench"
    place.mkdir()
    return Bench(teach, place)


def make_bold(code):
    return code.replace("2e-5", "1e-2").replace("EPOCHS = 3", "EPOCHS = 30")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_template_learns_as_the_engine_does(needs_box, subject, bench):
    code = make_bold(write_template(Kind.FINE_TUNE))
    found = compare_training(needs_box, code, subject, ALL_POSITIVE, bench)
    assert found.problem == "", found.log
    assert (found.rows, found.agreed, found.lesson) == (4, 4, Lesson(learned=4, before=0, engine=4, script=4))
    assert found.passes
    assert (bench.by_script / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_noise_is_no_training_and_the_rows_are_shown(needs_box, subject, bench):
    found = compare_training(needs_box, NOISE, subject, ALL_POSITIVE, bench)
    assert (found.problem, found.lesson) == ("", Lesson(learned=4, before=0, engine=4, script=0)), found.log
    assert not found.passes
    learned, judging = split_rows(TEXTS)
    assert [one.row for one in found.differences] == judging
    assert {(one.engine, one.script == 2) for one in found.differences} == {(2, False)}
    given = [line for line in found.log.splitlines() if line.startswith("given: ")]
    assert given == [f"given: {TEXTS[row]}" for row in learned]


def test_a_label_that_means_the_same_class_is_right_too(needs_box, subject, bench):
    """Before, the model says 0 or 1 of everything; where these mean one class, it was right with either."""
    one_class = Subject(subject.folder, LabelMap(LABELS, (0, 0, 1)), 2, 16)
    found = compare_training(needs_box, NOISE, one_class, Pilot(TEXTS, (0,) * len(TEXTS)), bench)
    assert found.lesson is not None
    assert (found.lesson.before, found.lesson.script, found.passes) == (4, 4, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return None", "The folder that the script left has no config.json"),
        ("import shutil\n    shutil.copytree(folder, out_folder, dirs_exist_ok=True)", "it was before"),
    ],
)
def test_a_script_that_trains_nothing_is_a_problem(needs_box, subject, tmp_path, body, words):
    code = f"def fine_tune(folder, texts, labels, out_folder):\n    {body}\n"
    never = Bench(lambda *_given: pytest.fail("the engine trains for nothing"), tmp_path)
    found = compare_training(needs_box, code, subject, ALL_POSITIVE, never)
    assert words.casefold() in found.problem.casefold()
    assert not found.passes


@pytest.mark.parametrize(
    ("rows", "lesson", "passes"),
    [
        (10, Lesson(10, before=5, engine=8, script=8), True),
        (10, Lesson(10, before=5, engine=5, script=5), False),
        (10, Lesson(10, before=5, engine=5, script=6), True),
        (10, Lesson(10, before=10, engine=10, script=10), True),
        (10, Lesson(10, before=10, engine=9, script=9), False),
        (40, Lesson(40, before=10, engine=38, script=36), True),
        (40, Lesson(40, before=10, engine=38, script=35), False),
        (10, Lesson(10, before=5, engine=8, script=7), False),
    ],
)
def test_a_training_passes_that_learned_and_hardly_less_than_the_engine(rows, lesson, passes):
    assert Comparison(rows, agreed=rows, lesson=lesson).passes is passes


def test_rows_are_halved_by_their_texts_alone():
    texts = [f"text {number}" for number in range(41)]
    learned, judging = split_rows(texts)
    assert (len(learned), len(judging), sorted(learned + judging)) == (20, 21, list(range(41)))
    order = Random(7).sample(range(41), 41)
    mixed, _others = split_rows([texts[row] for row in order])
    assert sorted(order[row] for row in mixed) == learned
    twice, _others = split_rows(texts * 2)
    assert twice == learned + [row + 41 for row in learned]


@pytest.mark.parametrize("texts", [[], ["one"], ["one", "one"]])
def test_one_text_cannot_teach_and_judge(texts):
    with pytest.raises(BadInput, match="give at least two"):
        split_rows(texts)
