import os
from math import isnan
from pathlib import Path

import pytest

from annotator_core.errors import BadInput, SpecialistCrashed
from annotator_core.reproduce.alone import find_peak_bytes, run_alone
from annotator_core.reproduce.rows import read_classes


def test_memory_is_that_of_the_new_process_alone():
    held = b"x" * 200_000_000
    small, large = run_alone(len, b""), run_alone(len, held)
    assert (small[0], large[0]) == (0, len(held))
    assert large[1] - small[1] > 190e6
    assert 0 < small[1] < find_peak_bytes() / 2


def test_what_goes_wrong_there_is_raised_here():
    with pytest.raises(BadInput, match="cannot be read"):
        run_alone(read_classes, Path("nowhere.csv"))


def test_a_process_that_ends_without_a_result_is_told_with_its_status():
    with pytest.raises(SpecialistCrashed, match="exit status 3"):
        run_alone(os._exit, 3)


def test_a_system_that_does_not_tell_memory_gives_none(tmp_path):
    assert isnan(find_peak_bytes(tmp_path / "none"))
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert isnan(find_peak_bytes(tmp_path / "status"))
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t    2048 kB\n")
    assert find_peak_bytes(tmp_path / "status") == 2048 * 1024
