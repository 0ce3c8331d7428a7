"""What a search and its candidates look like in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.projects.models import LabelClass
from labeling.specialists.models import Candidate, CandidateState, ModelSearch
from labeling.web.wording import word_number, word_percent

STEPS = {
    "": gettext_lazy("Waiting for a worker"),
    "find": gettext_lazy("Asking the hub"),
    "read": gettext_lazy("Reading what the hub says of each model"),
    "compare": gettext_lazy("Comparing cards with the task"),
    "files": gettext_lazy("Fetching the models to try"),
    "prove": gettext_lazy("Trying them on random rows"),
    "choose": gettext_lazy("Choosing"),
}
REFUSALS = {
    "gone": gettext_lazy("The hub does not give it any more: deleted, private or renamed."),
    "gated": gettext_lazy("Gated: its terms must be accepted on the hub first."),
    "no_commit": gettext_lazy("The hub names no commit that it could be pinned to."),
    "no_safetensors": gettext_lazy("It has no safetensors weights, the only ones that are loaded."),
    "too_large": gettext_lazy("It is larger than asked for."),
    "own_code": gettext_lazy("It needs code of its own, which is never run."),
    "no_config": gettext_lazy("Its config.json is missing or unreadable."),
    "no_classifier": gettext_lazy("It has no head for classifying texts."),
    "not_one_label": gettext_lazy("It does not pick one label out of several."),
    "no_tokenizer": gettext_lazy("Its tokenizer is missing."),
}
WHY_NOT = {
    "one_class": gettext_lazy("It is no better than answering the most frequent class every time."),
    "tells_nothing": gettext_lazy("Its answers have next to nothing to do with those of the others."),
    "abstains": gettext_lazy("Its labels mean none of the classes on most rows."),
    "copy": gettext_lazy("It answers like a model above it, so it would add no vote."),
    "others_better": gettext_lazy("Three others are better."),
}


@dataclass(frozen=True, slots=True)
class MapLine:
    """One label of a model and the class that it may mean, None for none; `origin`: name, llm, rows or none."""

    label: str
    label_class: LabelClass | None
    origin: str


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """A candidate as the page shows it."""

    candidate: Candidate
    reasons: list[str]
    map_lines: list[MapLine]

    @property
    def may_be_added(self) -> bool:
        """Whether it is safe to load and was not added yet."""
        is_safe = self.candidate.state not in (CandidateState.LISTED, CandidateState.REFUSED)
        return is_safe and bool(self.candidate.revision) and self.candidate.specialist_id is None


def line_of(candidate: Candidate, search: ModelSearch, classes: dict[int, LabelClass]) -> CandidateLine:
    """The candidate with its reasons in sentences and its proposed map."""
    return CandidateLine(candidate, reasons_of(candidate, search), _map_lines(candidate, classes))


def reasons_of(candidate: Candidate, search: ModelSearch) -> list[str]:
    """Why to take it or not, the weightiest first."""
    if candidate.state == CandidateState.REFUSED:
        return [str(REFUSALS[why]) for why in candidate.refusals if why in REFUSALS]
    if candidate.state == CandidateState.FAILED:
        return [candidate.error]
    if candidate.state == CandidateState.PASSED:
        return [_("Safe to load, but the cards of others fit the task better."), *_fit(candidate, search)]
    why_not = [str(WHY_NOT[candidate.why_not])] if candidate.why_not in WHY_NOT else []
    return [*why_not, *_worth(candidate, search), *_fit(candidate, search), *_map_words(candidate)]


def _worth(candidate: Candidate, search: ModelSearch) -> list[str]:
    if candidate.rank is None:
        return []
    if candidate.accuracy is not None:
        words = _("Right on %(share)s (%(low)s to %(high)s) of %(rows)s rows with a known class.") % {
            "share": word_percent(candidate.accuracy),
            "low": word_percent(candidate.accuracy_low),
            "high": word_percent(candidate.accuracy_high),
            "rows": word_number(candidate.gold_rows),
        }
        return [words, *_agreement(candidate)]
    if candidate.information is None:
        return [_("It is the only one that could be tried, so there is nothing to hold it against.")]
    words = _("Its answers tell %(share)s of what the others' say about the classes, on %(rows)s rows.") % {
        "share": word_percent(candidate.information, 0),
        "rows": word_number(len(search.rows)),
    }
    return [words, *_agreement(candidate)]


def _agreement(candidate: Candidate) -> list[str]:
    if candidate.agreement is None:
        return []
    return [_("It votes like the others on %(share)s of the rows.") % {"share": word_percent(candidate.agreement, 0)}]


def _fit(candidate: Candidate, search: ModelSearch) -> list[str]:
    if candidate.similarity is None:
        return []
    share = {"share": word_percent(candidate.similarity, 0)}
    if search.compared_by == "llm":
        return [_("The language model says that its card fits the task to %(share)s.") % share]
    return [_("Its card and the task share words: %(share)s alike.") % share]


def _map_words(candidate: Candidate) -> list[str]:
    open_ones = candidate.origins.count("none")
    read_off = candidate.origins.count("rows")
    said = candidate.origins.count("llm")
    found = []
    if read_off:
        text = ngettext(
            "What %(n)d label means was read off rows with a known class.",
            "What %(n)d labels mean was read off rows with a known class.",
            read_off,
        )
        found.append(text % {"n": read_off})
    if said:
        text = ngettext(
            "What %(n)d label means was read off its card by the language model.",
            "What %(n)d labels mean was read off its card by the language model.",
            said,
        )
        found.append(text % {"n": said})
    if open_ones:
        text = ngettext(
            "Nobody knows what %(n)d label means: you say it.",
            "Nobody knows what %(n)d labels mean: you say it.",
            open_ones,
        )
        found.append(text % {"n": open_ones})
    return found


def _map_lines(candidate: Candidate, classes: dict[int, LabelClass]) -> list[MapLine]:
    if len(candidate.model_labels) != len(candidate.targets):
        return []
    rows = zip(candidate.model_labels, candidate.targets, candidate.origins, strict=True)
    return [MapLine(label, classes.get(target), origin) for label, target, origin in rows]


def notes_of(search: ModelSearch) -> list[str]:
    """How the search worked, in sentences: with which words, and whether a language model had a part in it."""
    notes = []
    if search.queries:
        words = ", ".join(f"“{query}”" for query in search.queries)
        text = _("Searched for %(words)s, words of the language model.") if search.is_by_llm else None
        notes.append((text or _("Searched for %(words)s, keywords of the task.")) % {"words": words})
    if search.compared_by == "llm":
        notes.append(_("The language model judged each card."))
    elif search.compared_by:
        notes.append(_("Cards were compared with the task by the words that they share (TF-IDF)."))
    if search.rows:
        known = sum(class_id is not None for _sample, class_id in search.rows)
        text = _("Tried on %(rows)s rows outside every audit, %(known)s of them with a known class.")
        notes.append(text % {"rows": word_number(len(search.rows)), "known": word_number(known)})
    return notes
