"""The door of the package: its names, what it costs to come in, and what every docstring says."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

import annotator_core
from tests.annotator_core.docstrings import TREES, find_arrays, is_told, list_docs, list_public, list_values

MODULES = [
    "annotator_core",
    *(found.name for found in pkgutil.walk_packages(annotator_core.__path__, "annotator_core.")),
]
WITH_EXAMPLES = [name for name in MODULES if ">>> " in (importlib.util.find_spec(name).loader.get_source(name) or "")]
SOURCE = re.compile(r"\bSource\b")
SHAPE = re.compile(r"\((?:\.\.\.|\w+,|(?:\w+(?: [+x] \w+)?|\.\.\.)(?:, \w+(?: [+x] \w+)?)+)\)")
"""As in (n,), (n, k), (m, k + 1, k), (..., k), and (...) for any."""
NUMBER = re.compile(r"\bfloat\b")
LIMITS = r"(?<![\w.])-?\d[\d.,]* (?:to|or more)\b|\b(?:from|above|under|between|at least|at most|below) -?\d"
WORDS = r"seconds|hours|bytes|dollars|percent|currency|nats|shares?\b|probabilit|ratio\b|times as"
RANGE = re.compile(f"{LIMITS}|{WORDS}", re.IGNORECASE)
"""Limits as in "0 to 1" or "from 0", or a unit: a bare digit, of a section or a year, says nothing."""
UNIT = re.compile(r"(_s|_mb|_nano|_hours|_usd|seconds)$|^(usd|timeout)$")
METHODS = re.compile(r"(consensus|contract)/[a-z]|agreement|routing")
"""Where every function has a source, in its own docstring or in its module's."""
USING = """
    linear/features linear/fit linear/topics loop meta/choice meta/proof meta/search meta/similarity pilot precision
    refine/batches refine/cold_start refine/encoder_start refine/gate refine/heads refine/interpolate refine/learner
    refine/linear_trainer refine/loss refine/plan refine/trainer refine/training_set refine/words reproduce/costs
    reproduce/equal reproduce/intervals reproduce/learning reproduce/loops reproduce/measure reproduce/people
    reproduce/rules reproduce/specialists reproduce/stream reproduce/sweeps specialists/attention specialists/cascade
    specialists/first_token specialists/label_map specialists/packed specialists/torch_backend specialists/windows
"""
"""Modules that use a published method, or a measurement: they name it at least once."""


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_give_what_they_say(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert (found.failed, found.attempted > 0) == (0, True)


def test_the_door_has_examples() -> None:
    assert {"annotator_core", "annotator_core.opening", "annotator_core.contract.certify"} <= set(WITH_EXAMPLES)


def test_every_name_of_the_door_opens() -> None:
    missing = [name for name in annotator_core.__all__ if not callable(getattr(annotator_core, name))]
    assert missing == []
    assert sorted(annotator_core._PLACES) == annotator_core.__all__
    with pytest.raises(AttributeError, match="no attribute 'label'"):
        annotator_core.label  # noqa: B018 - asking is the test


def test_the_door_imports_nothing_heavy() -> None:
    code = (
        "import sys, annotator_core; before = 'numpy' in sys.modules; "
        "from annotator_core import annotate, open_specialist, load_specialist, Policy; "
        "print(before, *[name for name in ('torch', 'transformers', 'scipy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


def test_every_public_function_names_the_errors_that_it_raises() -> None:
    lacking = {one.place: {error for error in one.raised if not is_told(error, one.doc)} for one in list_public()}
    assert {place: errors for place, errors in lacking.items() if errors} == {}


def test_every_array_of_a_public_function_or_value_has_its_shape_told() -> None:
    arrays = find_arrays()
    functions = [one.place for one in list_public() if arrays.search(one.types) and not SHAPE.search(one.doc)]
    values = [
        place
        for place, types, doc in list_values()
        if any(arrays.search(each) for each in types.values()) and not SHAPE.search(doc)
    ]
    assert functions + values == []


def test_every_number_of_a_public_function_or_value_has_its_range_or_unit_told() -> None:
    functions = [one.place for one in list_public() if NUMBER.search(one.result) and not RANGE.search(one.doc)]
    values = [
        place
        for place, types, doc in list_values()
        if any(NUMBER.search(each) and not UNIT.search(name) for name, each in types.items()) and not RANGE.search(doc)
    ]
    assert functions + values == []


def test_every_number_that_a_public_function_takes_is_named_with_its_range_or_unit() -> None:
    lacking = {
        one.place: [name for name in _list_numbers(one.arguments) if not _is_named(name, one.doc)]
        for one in list_public()
    }
    assert {place: names for place, names in lacking.items() if names} == {}


def _list_numbers(arguments: Mapping[str, str]) -> list[str]:
    return [
        name
        for name, kind in arguments.items()
        if NUMBER.search(kind) and "Callable" not in kind and not UNIT.search(name)
    ]


def _is_named(name: str, doc: str) -> bool:
    return re.search(rf"\b{name}\b", doc) is not None and RANGE.search(doc) is not None


def test_every_function_of_a_method_says_where_that_comes_from() -> None:
    lacking = [
        one.place
        for one in list_public()
        if METHODS.match(one.place) and "." not in one.place.partition(": ")[2]
        if not SOURCE.search(f"{one.doc} {one.module_doc}")
    ]
    assert lacking == []


def test_every_module_that_uses_a_method_names_a_source() -> None:
    modules = {f"{name}.py": list_docs(TREES[f"{name}.py"]) for name in USING.split()}
    assert [path for path, docs in modules.items() if not any(SOURCE.search(doc) for doc in docs)] == []


@pytest.mark.parametrize("doc", ["0 to 1", "from 0 up", "under 0.5", "in seconds", "0.25 to 20", "-1 to 1", "a share"])
def test_a_range_or_unit_is_seen(doc: str) -> None:
    assert RANGE.search(doc)


@pytest.mark.parametrize("doc", ["eq. 4 of arXiv 2506.16393", "class 0", "2 arrays", "Wilson (1927)", "rational"])
def test_a_bare_digit_is_no_range(doc: str) -> None:
    assert not RANGE.search(doc)


def test_what_is_read_off_the_source_is_there() -> None:
    public = {one.place: one for one in list_public()}
    assert public["contract/bounds.py: exact_lower"].raised == {"BadInput"}  # by a helper
    assert public["verifiers/replies.py: read_completion"].raised == {"CallFailed"}  # a TypeError is suppressed
    assert public["consensus/aggregator.py: Ballots.from_votes"].raised == {"BadInput"}
    assert {"IntArray", "Doubles", "csr_matrix"} <= set(find_arrays().pattern[3:-3].split("|"))
