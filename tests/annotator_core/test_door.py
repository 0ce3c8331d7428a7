"""The door of the package: its names, what it costs to come in, and what every docstring says."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys

import pytest

import annotator_core
from tests.annotator_core.docstrings import TREES, find_arrays, is_told, list_docs, list_public, list_values

MODULES = [
    "annotator_core",
    *(found.name for found in pkgutil.walk_packages(annotator_core.__path__, "annotator_core.")),
]
WITH_EXAMPLES = [name for name in MODULES if ">>> " in (importlib.util.find_spec(name).loader.get_source(name) or "")]
SHAPE = re.compile(r"\((?:\.\.\.|\w+,|(?:\w+(?: [+x] \w+)?|\.\.\.)(?:, \w+(?: [+x] \w+)?)+)\)")
"""As in (n,), (n, k), (m, k + 1, k), (..., k), and (...) for any."""
NUMBER = re.compile(r"\bfloat\b")
RANGE = re.compile(r"\d|seconds|hours|bytes|dollars|percent|currency|nats|shares?\b|ratio|times as", re.IGNORECASE)
UNIT = re.compile(r"(_s|_mb|_nano|_hours|seconds)$")
METHODS = re.compile(r"(consensus|contract)/[a-z]|agreement|routing")


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
    functions = [one.place for one in list_public() if one.result.startswith("float") and not RANGE.search(one.doc)]
    values = [
        place
        for place, types, doc in list_values()
        if any(NUMBER.search(each) and not UNIT.search(name) for name, each in types.items()) and not RANGE.search(doc)
    ]
    assert functions + values == []


def test_every_module_of_methods_says_where_they_come_from() -> None:
    modules = {path: list_docs(tree) for path, tree in TREES.items() if METHODS.match(path)}
    assert [path for path, docs in modules.items() if not any(re.search(r"\bSource\b", doc) for doc in docs)] == []


def test_what_is_read_off_the_source_is_there() -> None:
    public = {one.place: one for one in list_public()}
    assert public["contract/bounds.py: exact_lower"].raised == {"BadInput"}  # by a helper
    assert public["verifiers/replies.py: read_completion"].raised == {"CallFailed"}  # a TypeError is suppressed
    assert public["consensus/aggregator.py: Ballots.from_votes"].raised == {"BadInput"}
    assert {"IntArray", "Doubles", "csr_matrix"} <= set(find_arrays().pattern[3:-3].split("|"))
