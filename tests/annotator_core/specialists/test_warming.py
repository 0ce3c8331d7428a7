"""After a warm-up a real cascade has compared its sample, and runs both ways only what is in doubt."""

from pathlib import Path

import pytest

from annotator_core.specialists.cascade import SAMPLE_ROWS, Cascade
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.torch_backend import load
from annotator_core.specialists.warming import WARM_UP_TEXTS, list_lacking
from annotator_core.types import LabelMap
from tests.annotator_core.conftest import LABELS, SENTENCE

WORDS = SENTENCE.split()
PAIRS = [f"{one} {two}" for one in WORDS for two in WORDS]


@pytest.mark.parametrize("given", [[], PAIRS[:100], [*PAIRS[:200], *PAIRS[:200], "", " "]])
def test_a_cascade_that_has_read_these_and_the_lacking_ones_is_done_comparing(
    classifier_template: Path, given: list[str]
) -> None:
    spec = SpecialistSpec(classifier_template, LabelMap(LABELS, (0, 1, 2)), 3)
    specialist = load(spec, Runtime(precision="bf16", device="cpu"))
    assert isinstance(specialist.engine, Cascade)
    specialist.predict(given)
    specialist.predict(list_lacking(given))
    warm = specialist.to_state()
    assert len(warm["margins"]) == SAMPLE_ROWS
    specialist.predict([f"{pair} again" for pair in PAIRS])
    after = specialist.to_state()
    assert [after[name] == warm[name] for name in ("margins", "threshold", "random")] == [True] * 3


def test_variations_are_none_of_the_texts_that_were_given() -> None:
    given = [*PAIRS[:10], f"{PAIRS[0]} 1", f"{PAIRS[3]} 2"]
    lacking = list_lacking(given)
    assert (len({*given, *lacking}), set(given) & set(lacking)) == (WARM_UP_TEXTS, set())
    assert list_lacking(PAIRS) == []
    assert len(set(PAIRS)) > WARM_UP_TEXTS
