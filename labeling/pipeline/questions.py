"""What a run asks a language model about its texts: the plan, examples that people verified, the specialists' votes."""

from collections.abc import Mapping, Sequence

from annotator_core.verifiers.contract import Example, Plan, Question, ShownVote
from annotator_core.verifiers.examples import choose
from labeling.labels.answer_queries import TextToAsk
from labeling.labels.example_queries import example_rows, shown_votes
from labeling.llm.engine import plan_of
from labeling.projects.models import LabelClass
from labeling.projects.queries import guideline_text
from labeling.quality.queries import audited_hashes
from labeling.refinement.training_set import frame_hashes
from labeling.runs.models import AskStrategy, PolicyName, Run
from labeling.runs.queries import members_of

EXAMPLES = {AskStrategy.ONE_SHOT: 1, AskStrategy.FEW_SHOT: 5}
"""Examples before a question. One-shot by its name (Source: AutoAnnotator, Table 3), few-shot chosen."""


def class_ids_of(run: Run) -> list[int]:
    """The classes that the run's pool knows, in the project's order: a model chooses from these."""
    known = set(members_of(run, run.generation)[0].version.class_ids)
    return [one.pk for one in LabelClass.objects.filter(pk__in=known).order_by("position", "id")]


def plan_for(run: Run, class_ids: Sequence[int]) -> Plan:
    """How the run asks. The paper's policy gives the paper's prompt; else the project's guideline is part of it."""
    names = LabelClass.objects.in_bulk(class_ids)
    return plan_of(
        classes=[names[class_id].name for class_id in class_ids],
        strategy=run.ask_strategy,
        shows_votes=run.shows_votes,
        draws=run.draws,
        guideline="" if run.policy == PolicyName.PAPER else guideline_text(run.project),
    )


def questions_for(run: Run, plan: Plan, texts: Sequence[TextToAsk], *, until: int) -> list[Question]:
    """A question a text, numbered by its sample.

    Its examples are of labels up to the id `until`, so that a part that is done again asks the same.
    """
    examples = choose_examples(run, texts, until=until)
    votes: Mapping[int, Sequence[ShownVote]] = shown_votes(run, texts) if plan.shows_votes else {}
    return [
        Question(one.sample_id, one.text, tuple(votes.get(one.sample_id, ())), shown)
        for one, shown in zip(texts, examples, strict=True)
    ]


def has_examples(run: Run, class_ids: Sequence[int], *, until: int) -> bool:
    """Whether the run shows no examples, or somebody has verified a text that may be one."""
    if run.ask_strategy not in EXAMPLES:
        return True
    held_out = _held_out(run)
    return any(row.text_hash not in held_out for row in example_rows(run.project, class_ids, until=until))


def choose_examples(run: Run, texts: Sequence[TextToAsk], *, until: int) -> list[tuple[Example, ...]]:
    """The most similar human-verified texts of the project before each text.

    Never the text itself or a copy of it, nor any text of an audit or its frame. Source: engine.md 4.
    """
    count = EXAMPLES.get(AskStrategy(run.ask_strategy), 0)
    if not count:
        return [() for _ in texts]
    rows = example_rows(run.project, class_ids_of(run), until=until)
    return choose(
        texts_pool=[row.text for row in rows],
        labels_pool=[row.label for row in rows],
        hashes_pool=[row.text_hash for row in rows],
        queries=[one.text for one in texts],
        query_hashes=[one.text_hash for one in texts],
        n=count,
        excluded_hashes=_held_out(run),
    )


def _held_out(run: Run) -> set[str]:
    """Texts that no question may show: of the audit frames, and drawn for an audit."""
    return frame_hashes(run.project) | audited_hashes(run.project)
