"""The quality page in words: ways to combine votes, warnings, what a certificate says or costs."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotator_core.consensus.race import ENOUGH
from annotator_core.contract.combine import Part, bound_all_rows
from labeling.quality.figures import AgreementFigure, Figures, RaceRow, Second, Share
from labeling.quality.models import Certificate
from labeling.web.wording import word_duration, word_number, word_percent

NAMES: Mapping[str, Promise] = {
    "majority": gettext_lazy("Majority vote"),
    "weighted_majority": gettext_lazy("Weighted vote"),
    "average": gettext_lazy("Average probability"),
    "dawid_skene": gettext_lazy("Dawid-Skene"),
    "naive_bayes": gettext_lazy("Naive Bayes"),
    "stacker": gettext_lazy("Logistic stacker"),
    "best_single": gettext_lazy("Best single specialist"),
}
HINTS: Mapping[str, Promise] = {
    "majority": gettext_lazy("every specialist one vote"),
    "weighted_majority": gettext_lazy("votes weigh as much as their specialist is right"),
    "average": gettext_lazy("the mean of what the specialists believe"),
    "dawid_skene": gettext_lazy("each specialist's habits of error, learned from all rows"),
    "naive_bayes": gettext_lazy("each specialist's habits of error, learned from the audit"),
    "stacker": gettext_lazy("a regression on what the specialists believe"),
}
AGREEMENTS: Mapping[str, Promise] = {
    "cohen": gettext_lazy("Cohen's kappa"),
    "fleiss": gettext_lazy("Fleiss' kappa"),
    "krippendorff": gettext_lazy("Krippendorff's alpha"),
}


def way_name(name: str) -> str:
    """A way to combine votes as people call it."""
    return str(NAMES.get(name, name))


def way_hint(row: RaceRow) -> str:
    """What the way does, in half a sentence; which specialist the best single one is."""
    return row.title if row.name == "best_single" else str(HINTS.get(row.name, ""))


def interval_words(share: Share) -> str:
    """Such as "84.3% to 92.6%"; empty where nothing was measured."""
    if share.value is None:
        return ""
    words = {"low": word_percent(share.low), "high": word_percent(share.high)}
    return _("%(low)s to %(high)s") % words


def plus_minus(share: Share) -> str:
    """Such as "86.4% ± 1.9": half the width of the 95% interval, in points; a dash where nothing was measured."""
    if share.value is None:
        return word_percent(None)
    half = word_number(50 * (share.high - share.low), 1)
    return _("%(share)s ± %(half)s") % {"share": word_percent(share.value), "half": half}


def winner_sentence(figures: Figures) -> str:
    """Why the race has the winner that it has, or why there is no race yet."""
    words = {"n": word_number(figures.fit_rows), "needed": word_number(ENOUGH)}
    first = next((row for row in figures.race if row.is_winner), None)
    if first is None:
        text = _("%(n)s answered texts may fit so far. The race needs %(needed)s of them.")
        return f"{text % words} " + _("Once a draw is finished, only texts of finished draws fit.")
    if figures.learned:
        text = _("%(name)s has learned from %(n)s reviewed texts, too, and predicts all answers best.")
        text += " " + _("The table measures every way by the audited texts alone.")
        return text % {"name": way_name(first.name), "n": word_number(figures.learned)}
    others = sorted((row for row in figures.race if not row.is_winner), key=lambda row: row.log_loss)
    text = _("%(name)s predicts texts that it has not seen best: its log-loss is the lowest.")
    if others and others[0].accuracy.low <= (first.accuracy.value or 0) <= others[0].accuracy.high:
        text += " " + _("In how many labels are right the next one may be as good: their intervals overlap.")
    return text % {"name": way_name(first.name)}


def is_within(certificate: Certificate, left: int) -> bool:
    """Whether a number of answers is named that the `left` texts can give."""
    return certificate.rows_needed is not None and certificate.rows_needed <= left


def reach_word(certificate: Certificate, left: int) -> tuple[str, str]:
    """(state in a word, kind of its dot); `left` texts can still be answered."""
    if certificate.is_reached:
        return _("Reached"), "good"
    if certificate.rows_needed is None:
        return _("Not in sight"), "quiet"
    return (_("Not yet"), "attention") if is_within(certificate, left) else (_("Out of reach"), "quiet")


def whole_sentence(certificate: Certificate, seconds: Sequence[Second]) -> str:
    """What a reached certificate says of all labels, with the error measured in those that it leaves out; else empty.

    Labels that nobody measured are taken as right, and the sentence says how many. Last comes the confidence, lower
    than the certificate's own.
    """
    share = certificate.accepted_share
    if not certificate.is_reached or share is None or not seconds:
        return ""
    rest = seconds if share < 1 else ()
    parts = [Part(one.share * (1 - share), one.wrong, one.rows) for one in rest]
    found = bound_all_rows(certificate.target_error / 100, share, parts, confidence=certificate.confidence / 100)
    words = {
        "bound": word_percent(found.error_bound - found.unmeasured_share),
        "confidence": word_percent(found.confidence, 0),
        "share": word_percent(found.unmeasured_share),
    }
    if found.unmeasured_share:
        text = _(
            "All labels: at most %(bound)s are wrong, if the %(share)s are right that nobody has measured "
            "(%(confidence)s)"
        )
    else:
        text = _("All labels, the rest reviewed as now: at most %(bound)s are wrong (%(confidence)s)")
    return text % words


def price_sentence(certificate: Certificate, *, seconds: float, people: int, left: int) -> str:
    """What a target that is not reached costs at least, or that no answers buy it; empty for one that is reached.

    `people` answer a text of the audit, each in so many `seconds`; `left` texts can still be answered.
    """
    if certificate.is_reached:
        return ""
    if certificate.rows_needed is None:
        return _("No number of answers can be named: not even the surest labels are shown to be so good yet.")
    texts, answers = certificate.rows_needed, certificate.rows_needed * people
    if not is_within(certificate, left):
        return _too_few_words(texts, left)
    text = (
        ngettext("at least %(n)s more answer, %(time)s", "at least %(n)s more answers, %(time)s", answers)
        if people == 1
        else ngettext(
            "at least %(texts)s more text, %(n)s answers, %(time)s",
            "at least %(texts)s more texts, %(n)s answers, %(time)s",
            texts,
        )
    )
    return text % {"texts": word_number(texts), "n": word_number(answers), "time": word_duration(answers * seconds)}


def _too_few_words(texts: int, left: int) -> str:
    """That the data set's audit frame has not as many texts as a certificate takes."""
    taken = ngettext("It takes at least %(n)s more text", "It takes at least %(n)s more texts", texts)
    given = ngettext(
        "only %(n)s is kept apart for audits and left.", "only %(n)s are kept apart for audits and left.", left
    )
    none = _("all that are kept apart for audits are answered.")
    words = given % {"n": word_number(left)} if left else none
    return f"{taken % {'n': word_number(texts)}}: {words}"


def draw_sentence(texts: int, *, people: int, queued: int, seconds: float) -> str:
    """What drawing so many texts takes: their own answers, then with the `queued` ones before the last of them."""
    answers = texts * people
    given = ngettext("%(n)s answer", "%(n)s answers", answers) % {"n": word_number(answers)}
    words = {"texts": word_number(texts), "answers": given, "time": word_duration(answers * seconds)}
    text = ngettext("%(texts)s text takes %(answers)s, %(time)s.", "%(texts)s texts take %(answers)s, %(time)s.", texts)
    if not queued:
        return text % words
    late = _("Until the last one is answered people give up to %(most)s, %(until)s: the texts wait among all others.")
    most = queued + answers
    words |= {"most": word_number(most), "until": word_duration(most * seconds)}
    return f"{text % words} {late % words}"


def pace_sentence(seconds: float, *, is_measured: bool, people: int) -> str:
    """What the prices in hours are counted with, and what is not in them."""
    text = (
        _("Hours are counted with %(time)s an answer, the pace of this project.")
        if is_measured
        else _("Hours are counted with %(time)s an answer until this project has a pace of its own.")
    )
    digits = 1 if seconds < 10 else 0
    told = [text % {"time": _("%(n)s s") % {"n": word_number(seconds, digits)}}]
    if people > 1:
        shared = _("%(n)s people answer each text, and a reviewer where they differ, which is not counted.")
        told.append(shared % {"n": word_number(people)})
    return " ".join(told)


def queue_sentence(queued: int) -> str:
    """What comes on top of a certificate's price, as long as anything waits; a draw's price has it in it."""
    if not queued:
        return ""
    text = ngettext(
        "The %(n)s answer that the queue takes comes on top: a draw certifies once its last text is answered.",
        "The %(n)s answers that the queue takes come on top: a draw certifies once its last text is answered.",
        queued,
    )
    return text % {"n": word_number(queued)}


def agreement_name(figure: AgreementFigure) -> str:
    """The measure's name."""
    return str(AGREEMENTS.get(figure.kind, figure.kind))


def why_undefined(figure: AgreementFigure) -> str:
    """Why there is no value."""
    sentences = {
        "one_rater": _("only one person has answered"),
        "no_overlap": _("no text has the answers of two people"),
        "two_raters": _("it compares exactly two people"),
        "one_category": _("all answers are of one class, on which chance alone agrees, too"),
    }
    return sentences.get(figure.why_not, figure.why_not)
