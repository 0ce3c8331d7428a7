"""The runtime's benchmark: on which page a machine's figures go, and that neither side of a ratio always goes first."""

from pathlib import Path

import pytest

from benchmarks.report import HARDWARE
from benchmarks.runtime import find_ending
from benchmarks.runtime_models import Bench
from benchmarks.runtime_run import compare_in_turns


def make_bench(device="cpu", *, has_bf16=True, has_matrix_unit=False, clock=lambda: 0.0):
    return Bench(Path(), Path(), Path(), True, clock, device, has_bf16, has_matrix_unit)


@pytest.mark.parametrize(
    ("ending", "device", "has_bf16", "has_matrix_unit"),
    [
        ("-gpu", "cuda", True, True),
        ("-gpu", "cuda", False, True),
        ("-amx", "cpu", True, True),
        ("", "cpu", True, False),
        ("-fp32", "cpu", False, False),
    ],
)
def test_a_kind_of_machine_has_a_page_of_its_own(ending, device, has_bf16, has_matrix_unit):
    assert find_ending(make_bench(device, has_bf16=has_bf16, has_matrix_unit=has_matrix_unit)) == ending
    assert ending in ("", *HARDWARE)


def test_the_two_sides_of_a_ratio_go_first_in_turns():
    now, order = [0.0], []
    bench = make_bench(clock=lambda: now[0])

    def work(name, seconds):
        order.append(name)
        now[0] += seconds

    ratios = [compare_in_turns(bench, n, lambda: work("whole", 3.0), lambda: work("bare", 2.0)) for n in range(4)]
    assert ratios == [1.5] * 4
    assert order == ["bare", "whole", "whole", "bare"] * 2
