"""Several answers to one question become one: the draws of a model, then the models."""

from collections import Counter
from collections.abc import Sequence

from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Outcome, Plan, Verdict
from annotator_core.verifiers.parse import Parsed


def join_draws(parsed: Sequence[Parsed], plan: Plan) -> Parsed:
    """Return the class that most draws name; SPLIT where two lead.

    confidence: the mean probability of that class where every draw that answered has log-probabilities, else the share
    of draws that name it; in both a draw that gave no class counts as 0. One draw stands as it is. Raises BadInput
    for none.
    """
    _check(parsed)
    if len(parsed) == 1:
        return parsed[0]
    index = _lead([one.class_index for one in parsed])
    if index is None:
        return _join_failed([(one.outcome, one.reason) for one in parsed])
    if index == ABSTAIN:
        named = _name_all([one.class_index for one in parsed], plan.classes)
        return Parsed(ABSTAIN, Outcome.SPLIT, f"The answers do not agree: {named}.")
    answered = [one for one in parsed if one.class_index != ABSTAIN]
    probs = [one.class_probs[index] for one in answered if one.class_probs is not None]
    if len(probs) < len(answered):
        probs = [1.0 for one in answered if one.class_index == index]
    reason = next(one.reason for one in answered if one.class_index == index)
    return Parsed(index, Outcome.ANSWERED, reason, min(sum(probs) / len(parsed), 1.0))


def join_models(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the majority of several models' verdicts on one question; SPLIT where two classes lead.

    confidence: the share of the models that name the class. keys: of all of them, in order. One verdict stands as it
    is. Source: AutoAnnotator (arXiv 2506.16393), Table 3, majority vote over LLMs. Raises BadInput for none, or for
    verdicts on different questions.
    """
    _check(verdicts)
    if len({verdict.question_id for verdict in verdicts}) > 1:
        raise BadInput("Verdicts on different questions cannot be joined.")
    if len(verdicts) == 1:
        return verdicts[0]
    question_id, keys = verdicts[0].question_id, tuple(key for verdict in verdicts for key in verdict.keys)
    index = _lead([verdict.class_index for verdict in verdicts])
    if index is None:
        failed = _join_failed([(verdict.outcome, verdict.reason) for verdict in verdicts])
        return Verdict(question_id, ABSTAIN, failed.outcome, None, failed.reason, keys)
    if index == ABSTAIN:
        return Verdict(question_id, ABSTAIN, Outcome.SPLIT, None, "The models do not agree.", keys)
    agreeing = [verdict for verdict in verdicts if verdict.class_index == index]
    share = len(agreeing) / len(verdicts)
    return Verdict(question_id, index, Outcome.ANSWERED, share, agreeing[0].reason, keys)


def _check(answers: Sequence[object]) -> None:
    if not answers:
        raise BadInput("There is no answer to join.")


def _lead(indexes: Sequence[int]) -> int | None:
    """Return the class named most often, ABSTAIN where two lead, None where no class is named."""
    ranked = Counter(index for index in indexes if index != ABSTAIN).most_common(2)
    if not ranked:
        return None
    return ABSTAIN if len(ranked) == 2 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def _join_failed(failed: Sequence[tuple[Outcome, str]]) -> Parsed:
    """Return the commonest outcome, the first of equals, with the first reason given for it."""
    outcome = Counter(outcome for outcome, _reason in failed).most_common(1)[0][0]
    return Parsed(ABSTAIN, outcome, next(reason for one, reason in failed if one is outcome))


def _name_all(indexes: Sequence[int], classes: Sequence[str]) -> str:
    counted = Counter(index for index in indexes if index != ABSTAIN)
    return ", ".join(f"{classes[index]} {times} times" for index, times in counted.most_common())
