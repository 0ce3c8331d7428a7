"""How far people agree beyond chance, as figures that a page shows."""

from annotator_core.agreement import Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha
from annotator_core.arrays import IntArray
from labeling.quality.figures import AgreementFigure

TWO_RATERS, ONE_RATER = "two_raters", "one_rater"


def agreement(answers: IntArray) -> tuple[AgreementFigure, ...]:
    """Agreement between r people on n texts: class indices (n, r), ABSTAIN where a person did not answer."""
    if answers.shape[1] == 2:
        cohen = cohen_agreement(answers)
    else:
        why = TWO_RATERS if answers.shape[1] > 2 else ONE_RATER
        cohen = AgreementFigure("cohen", None, None, None, 0, answers.shape[1], why)
    fleiss, alpha = fleiss_kappa(answers), krippendorff_alpha(answers)
    return cohen, _figure("fleiss", fleiss), _figure("krippendorff", alpha)


def cohen_agreement(answers: IntArray) -> AgreementFigure:
    """Cohen's kappa of two people: class indices (n, 2), ABSTAIN where one did not answer."""
    return _figure("cohen", cohen_kappa(answers))


def _figure(kind: str, found: Agreement) -> AgreementFigure:
    why = found.why_undefined or ""
    return AgreementFigure(kind, found.value, found.low, found.high, found.n_items, found.n_raters, why)
