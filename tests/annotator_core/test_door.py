"""The door of the package: its names, what it costs to come in, and every example in a docstring."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import annotator_core

MODULES = [
    "annotator_core",
    *(found.name for found in pkgutil.walk_packages(annotator_core.__path__, "annotator_core.")),
]
WITH_EXAMPLES = [name for name in MODULES if ">>> " in (importlib.util.find_spec(name).loader.get_source(name) or "")]


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
