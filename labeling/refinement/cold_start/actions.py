"""Writes about cold starts: start, record what was trained, retry, give up, let the specialists vote."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.datasets.models import Sample
from labeling.jobs.actions import open_job
from labeling.projects.models import Project
from labeling.projects.queries import active_classes
from labeling.refinement.cold_start.engine import GATE_FROM, check_base, is_gate_row
from labeling.refinement.cold_start.queries import (
    FEWEST_ROWS,
    MOST_ROWS,
    KnownText,
    cold_starts,
    gold_sets_of,
    verified_texts,
)
from labeling.refinement.cold_start.recipes import Method, recipes_of
from labeling.refinement.models import (
    ROUND_OPEN_STATES,
    Challenger,
    RefinementRound,
    RoundKind,
    RoundSample,
    SampleRole,
    Trigger,
)
from labeling.refinement.queries import next_round_number
from labeling.specialists.models import Source, Specialist, SpecialistState
from labeling.web.errors import ActionError

KIND = "cold"
STEPS = 100  # a specialist's part of the job's progress
FEWEST, MOST = 2, 5  # specialists


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. `gold` names data sets whose gold column is learned from, `base` the folder of an encoder.

    `are_holes_confirmed`: a class without any text is fine, the specialists never vote for it.
    """

    method: Method = Method.LINEAR
    count: int = 3
    gold: tuple[int, ...] = ()
    base: str = ""
    are_holes_confirmed: bool = False
    seed: int | None = None


def start_cold_start(*, project: Project, plan: Plan, by: User | None) -> RefinementRound:
    """A round that trains new specialists from the labels of now, and its job. Raises ActionError."""
    if not FEWEST <= plan.count <= MOST:
        limits = {"fewest": FEWEST, "most": MOST}
        raise ActionError(_("Between %(fewest)d and %(most)d specialists can be trained.") % limits, field="count")
    if plan.method == Method.ENCODER:
        check_base(Path(plan.base))
    texts = texts_to_learn(project, plan.gold)
    _check_texts(project, texts, are_holes_confirmed=plan.are_holes_confirmed)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if cold_starts(project).filter(state__in=ROUND_OPEN_STATES).exists():
            raise ActionError(_("A training is at work already. Wait for it, or stop it first."))
        round_ = _create_round(project, texts, plan, by)
        _create_entrants(round_, plan)
        open_job(project_id=project.pk, kind=KIND, subject=round_.pk, total=plan.count * STEPS)
    return round_


def texts_to_learn(project: Project, gold: Collection[int]) -> list[KnownText]:
    """The rows of a training: verified texts, and those of the gold columns of these data sets (by id).

    From `GATE_FROM` on the rows by which later gates judge are left out. At most `MOST_ROWS`, a uniform draw.
    """
    known = {text.text_hash: text for one in gold_sets_of(project) if one.dataset.pk in gold for text in one.texts}
    known |= {text.text_hash: text for text in verified_texts(project)}
    texts = [known[text_hash] for text_hash in sorted(known)]
    if len(texts) >= GATE_FROM:
        texts = [text for text in texts if not is_gate_row(text.text_hash)]
    return texts[:MOST_ROWS]


def _check_texts(project: Project, texts: Sequence[KnownText], *, are_holes_confirmed: bool) -> None:
    if len(texts) < FEWEST_ROWS:
        figures = {"n": len(texts), "fewest": FEWEST_ROWS}
        raise ActionError(
            _("There are %(n)d labeled texts to learn from. Label at least %(fewest)d, better a hundred.") % figures
        )
    told = {text.class_id for text in texts}
    untold = [one.name for one in active_classes(project) if one.pk not in told]
    if len(told) < 2:
        raise ActionError(_("All labeled texts are of one class. Label texts of another class, too."))
    if untold and not are_holes_confirmed:
        raise ActionError(
            _("No text is labeled %(names)s. Label some, or confirm that the specialists never vote for that.")
            % {"names": ", ".join(untold)},
            field="are_holes_confirmed",
        )


def _create_round(project: Project, texts: Sequence[KnownText], plan: Plan, by: User | None) -> RefinementRound:
    round_ = RefinementRound.objects.create(
        project=project,
        number=next_round_number(project),
        kind=RoundKind.COLD_START,
        dataset_id=Sample.objects.values_list("dataset_id", flat=True).get(pk=texts[0].sample_id),
        trigger=Trigger.MANAGER,
        seed=plan.seed if plan.seed is not None else SystemRandom().randrange(2**31),
        epochs=1,
        learning_rate=0,
        batch_size=0,
        is_gated=False,
        pool_rows=len(texts),
        created_by=by,
    )
    RoundSample.objects.bulk_create(
        [
            RoundSample(
                round=round_,
                sample_id=one.sample_id,
                label_class_id=one.class_id,
                role=SampleRole.POOL,
                weight=one.weight,
            )
            for one in texts
        ],
        batch_size=500,
    )
    return round_


def _create_entrants(round_: RefinementRound, plan: Plan) -> None:
    taken = set(Specialist.objects.filter(project=round_.project).values_list("name", flat=True))
    for recipe in recipes_of(plan.method, plan.count, round_.seed, plan.base):
        name = free_name(recipe.name, taken)
        taken.add(name)
        specialist = Specialist.objects.create(
            project=round_.project,
            name=name,
            source=Source.TRAINED,
            location=recipe.base,
            state=SpecialistState.TRAINING,
            backend=recipe.method.value,
        )
        Challenger.objects.create(
            round=round_,
            position=recipe.position,
            specialist=specialist,
            recipe=recipe.as_json(),
            seed=recipe.seed + recipe.position,
            step_count=STEPS,
        )


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, with the first number behind it that makes it new."""
    number = 2
    found = name
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found
