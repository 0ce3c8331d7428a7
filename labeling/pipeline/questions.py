"""What a run asks a language model about its texts: the plan, examples that people verified, the specialists' votes."""

from collections.abc import Mapping, Sequence

from annotator_core.verifiers.contract import Example, Plan, Question, ShownVote
from annotator_core.verifiers.examples import choose
from labeling.labels.answer_queries import TextToAsk
from labeling.labels.example_queries import example_rows, shown_votes
from labeling.llm.engine import plan_of
from labeling.projects.models import LabelClass, Project
from labeling.projects.queries import guideline_text
from labeling.quality.queries import audited_hashes
from labeling.refinement.training_set import frame_hashes
from labeling.runs.models import EXAMPLES, AskStrategy, PolicyName, Run
from labeling.runs.queries import members_of


def class_ids_of(run: Run) -> list[int]:
    """The classes that the run's pool knows, in the project's order: a model chooses from these."""
    known = set(members_of(run, run.generation)[0].version.class_ids)
    return [one.pk for one in LabelClass.objects.filter(pk__in=known).order_by("position", "id")]


def plan_for(run: Run, class_ids: Sequence[int]) -> Plan:
    """How the run asks. The paper's policy gives the paper's prompt; else the project's guideline is part of it."""
    return plan_of(
        classes=class_names(class_ids),
        strategy=run.ask_strategy,
        shows_votes=run.shows_votes,
        draws=run.draws,
        guideline="" if run.policy == PolicyName.PAPER else guideline_text(run.project),
    )


def class_names(class_ids: Sequence[int]) -> list[str]:
    """The names of these classes, in their order."""
    names = LabelClass.objects.in_bulk(class_ids)
    return [names[class_id].name for class_id in class_ids]


def questions_for(run: Run, plan: Plan, texts: Sequence[TextToAsk], *, until: int) -> list[Question]:
    """A question a text, numbered by its sample.

    Its examples are of labels up to the id `until`, so that a part that is done again asks the same.
    """
    examples = choose_examples(run, texts, until=until)
    return write_questions(run if plan.shows_votes else None, texts, examples)


def write_questions(
    run: Run | None, texts: Sequence[TextToAsk], examples: Sequence[tuple[Example, ...]]
) -> list[Question]:
    """A question a text with its examples, and with what the pool of the `run` said of it."""
    votes: Mapping[int, Sequence[ShownVote]] = shown_votes(run, texts) if run else {}
    return [
        Question(one.sample_id, one.text, tuple(votes.get(one.sample_id, ())), shown)
        for one, shown in zip(texts, examples, strict=True)
    ]


def has_examples(run: Run, class_ids: Sequence[int], *, until: int) -> bool:
    """Whether the run shows no examples, or somebody has verified a text that may be one."""
    return can_show(run.project, AskStrategy(run.ask_strategy), class_ids, until=until)


def can_show(project: Project, strategy: AskStrategy, class_ids: Sequence[int], *, until: int) -> bool:
    """Whether the strategy shows no examples, or the project has one."""
    if strategy not in EXAMPLES:
        return True
    held_out = _held_out(project)
    return any(row.text_hash not in held_out for row in example_rows(project, class_ids, until=until))


def choose_examples(run: Run, texts: Sequence[TextToAsk], *, until: int) -> list[tuple[Example, ...]]:
    """The examples that the run shows before each text."""
    return similar_examples(run.project, AskStrategy(run.ask_strategy), class_ids_of(run), texts, until=until)


def similar_examples(
    project: Project, strategy: AskStrategy, class_ids: Sequence[int], texts: Sequence[TextToAsk], *, until: int
) -> list[tuple[Example, ...]]:
    """The most similar human-verified texts of the project before each text.

    Never the text itself or a copy of it, nor any text of an audit or its frame. Source: engine.md 4.
    """
    count = EXAMPLES.get(strategy, 0)
    if not count:
        return [() for _ in texts]
    rows = example_rows(project, class_ids, until=until)
    return choose(
        texts_pool=[row.text for row in rows],
        labels_pool=[row.label for row in rows],
        hashes_pool=[row.text_hash for row in rows],
        queries=[one.text for one in texts],
        query_hashes=[one.text_hash for one in texts],
        n=count,
        excluded_hashes=_held_out(project),
    )


def _held_out(project: Project) -> set[str]:
    """Texts that no question may show: of the audit frames, and drawn for an audit."""
    return frame_hashes(project) | audited_hashes(project)
