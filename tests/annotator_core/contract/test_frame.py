"""The audit frame's size and its thirds: the reference's rule by hand, then independence of what else reads a hash."""

import pytest

from annotator_core.contract.frame import frame_size, third_of
from annotator_core.errors import BadInput
from annotator_core.refine.training_set import gate_half
from annotator_core.texts import hash_text

HASHES = [hash_text(f"text {number}") for number in range(6_000)]


def test_frame_size_follows_the_rule() -> None:
    assert [frame_size(n) for n in (4, 5, 1_000, 1_500, 10_000, 15_000, 100_000)] == [0, 1, 200, 300, 300, 300, 2_000]


def test_frame_size_of_a_negative_number_is_refused() -> None:
    with pytest.raises(BadInput, match="give 0 or more"):
        frame_size(-1)


def test_third_of_reads_the_middle_digits_alone() -> None:
    assert [third_of("f" * 8 + f"{part:08x}" + "f" * 16) for part in range(4)] == ["fit", "certify", "certify", "fit"]


def test_third_of_gives_one_in_three_to_the_fit() -> None:
    fits = sum(third_of(each) == "fit" for each in HASHES)
    assert abs(fits - 2_000) < 4 * (6_000 * 2 / 9) ** 0.5


@pytest.mark.parametrize("chosen", [lambda each: gate_half(each) is not None, lambda each: each < "3333"])
def test_third_of_is_independent_of_gate_and_frame(chosen) -> None:
    among = [third_of(each) == "fit" for each in HASHES if chosen(each)]
    assert len(among) > 1_000
    assert abs(sum(among) - len(among) / 3) < 4 * (len(among) * 2 / 9) ** 0.5


@pytest.mark.parametrize("garbled", ["", "0" * 31, "0" * 33, "0" * 8 + "zz" + "0" * 22, "-" + "0" * 31 + "0"])
def test_third_of_anything_but_a_hash_is_refused(garbled: str) -> None:
    with pytest.raises(BadInput, match="32 hex digits"):
        third_of(garbled)
