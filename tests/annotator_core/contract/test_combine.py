"""The bound on the error of all labels: by hand."""

import pytest

from annotator_core.contract.bounds import exact_upper
from annotator_core.contract.combine import Part, WholeBound, bound_all_rows
from annotator_core.errors import BadInput


def test_bound_all_rows_adds_what_was_measured() -> None:
    parts = [Part(0.3, 2, 100), Part(0.1, 0, 30)]
    found = bound_all_rows(0.05, 0.6, parts, confidence=0.95, risk=0.05)
    by_hand = 0.6 * 0.05 + 0.3 * exact_upper(2, 100, confidence=0.975) + 0.1 * exact_upper(0, 30, confidence=0.975)
    assert (found.error_bound, found.unmeasured_share) == (pytest.approx(by_hand), 0)
    assert found.confidence == pytest.approx(0.9)


def test_bound_all_rows_takes_what_nobody_measured_as_wrong() -> None:
    assert bound_all_rows(0.05, 0.5, [Part(0.5, 0, 0)]) == WholeBound(pytest.approx(0.525), 0.5, 0.95)


def test_bound_all_rows_of_accepted_rows_alone_is_the_certificate() -> None:
    assert bound_all_rows(0.05, 1.0, []) == WholeBound(0.05, 0, 0.95)


@pytest.mark.parametrize(("accepted", "share", "risk"), [(0.5, 0.4, 0.05), (1.5, -0.5, 0.05), (0.5, 0.5, 0.0)])
def test_bound_all_rows_with_wrong_shares_is_refused(accepted: float, share: float, risk: float) -> None:
    with pytest.raises(BadInput, match="add to 1"):
        bound_all_rows(0.05, accepted, [Part(share, 0, 10)], risk=risk)
