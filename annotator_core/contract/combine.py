"""The certificate for all rows: the accepted ones and those that people or a verifier decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotator_core.contract.bounds import exact_upper
from annotator_core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Part:
    """Rows with labels of one origin: their share of all rows, 0 to 1, and how many of `rows` random ones are wrong.

    rows is 0 where nobody measured them.
    """

    share: float
    wrong: int
    rows: int


@dataclass(frozen=True, slots=True)
class WholeBound:
    """An upper bound, 0 to 1, on the share of wrong labels among all rows, with that confidence.

    Rows that nobody measured count as wrong in error_bound: who takes them as right subtracts unmeasured_share.
    """

    error_bound: float
    unmeasured_share: float
    confidence: float


def bound_all_rows(
    target_error: float, accepted_share: float, others: Sequence[Part], *, confidence: float = 0.95, risk: float = 0.05
) -> WholeBound:
    """Return the bound on the error of all labels: a certificate bounds the accepted ones only.

    target_error, confidence: of the certificate, or 0 and 1 where nothing is accepted. accepted_share: of the data set.
    others: labels of people and of a verifier, whose shares add to 1 with it. risk: the chance, 0 to 1, to be wrong on
    the others, shared equally among those measured; it adds to the certificate's own (union bound).
    Raises BadInput for shares that do not add to 1 or counts that do not fit.

    Source: engine section 6: "the certificate for all rows adds the measured error of human and verifier labels".

    >>> found = bound_all_rows(0.05, 0.6, [Part(0.4, 2, 100)])
    >>> round(found.error_bound, 4), round(found.confidence, 4)
    (0.0546, 0.9)
    """
    shares = [accepted_share, *(part.share for part in others)]
    if min(shares) < 0.0 or abs(sum(shares) - 1.0) > 1e-6 or not 0.0 < risk < 1.0:
        raise BadInput(
            "The shares of accepted and other rows must be from 0 up and add to 1, and the risk between 0 and 1."
        )
    measured = [part for part in others if part.rows]
    level = 1.0 - risk / max(len(measured), 1)
    known = sum(part.share * exact_upper(part.wrong, part.rows, confidence=level) for part in measured)
    unmeasured = sum(part.share for part in others if not part.rows)
    held = confidence - (risk if measured else 0.0)
    return WholeBound(accepted_share * target_error + known + unmeasured, unmeasured, held)
