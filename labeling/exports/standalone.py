"""A run's last generation as a standalone script (engine: scripts): who votes, how it counts, what people see."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from annotator_core.errors import BadInput
from annotator_core.scripts.compose import write_script
from annotator_core.scripts.plan import ScriptPlan, ScriptVoter
from annotator_core.types import ABSTAIN, LabelMap
from labeling.projects.models import LabelClass
from labeling.runs.models import Aggregator, PoolMember, Run
from labeling.runs.queries import pool_of
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import Source, SpecialistVersion
from labeling.web.errors import ActionError

SCORE_DIGITS = 6
"""Of a stored score, as `pipeline.ballots` rounds it."""


def script_name(run: Run) -> str:
    """The file's name: of letters that every system takes."""
    return f"{run.project.slug}-run-{run.number}.py"


def script_of(run: Run) -> str:
    """The source of the run's standalone script.

    Raises ActionError where no script can carry the pool, and while a review budget's cut is not found.
    """
    try:
        return write_script(plan_of(run), script_name(run))
    except BadInput as error:
        raise ActionError(error.message) from error


def plan_of(run: Run) -> ScriptPlan:
    """What the script repeats: the newest generation, with classes in the order of its first member's version."""
    members = pool_of(run)
    generation = members[0].generation
    class_ids = members[0].version.class_ids
    names = dict(LabelClass.objects.filter(pk__in=class_ids).values_list("pk", "name"))
    if run.review_budget is not None and generation.cut_score is None:
        raise ActionError(_("The run has not found yet which rows people see. Download its script when it has voted."))
    cut = None if generation.cut_score is None else (generation.cut_score, generation.cut_hash)
    return ScriptPlan(
        title=f"Run {run.number} of {run.project.name}",
        classes=tuple(names[class_id] for class_id in class_ids),
        voters=_voters(members, class_ids),
        min_agree=run.min_agree,
        combine="majority" if run.aggregator == Aggregator.MAJORITY else "average",
        aggregation=generation.aggregation,
        cut=cut,
        is_half=True,
        score_digits=SCORE_DIGITS,
        text_column=run.dataset.text_column,
    )


def _voters(members: Sequence[PoolMember], class_ids: Sequence[int]) -> tuple[ScriptVoter, ...]:
    fetched = SpecialistVersion.objects.filter(
        specialist__in=[member.version.specialist_id for member in members], number=1
    )
    first = dict(fetched.values_list("specialist_id", "weights_hash"))
    return tuple(_voter(member.version, class_ids, first) for member in members)


def _voter(version: SpecialistVersion, class_ids: Sequence[int], first: Mapping[int, str]) -> ScriptVoter:
    """Weights that a round trained are on no hub: only the first version's are looked for there."""
    specialist = version.specialist
    is_on_hub = specialist.source == Source.HUB and first.get(version.specialist_id) == version.weights_hash
    places = {class_id: place for place, class_id in enumerate(class_ids)}
    return ScriptVoter(
        name=specialist.name,
        backend=version.backend,
        content_hash=version.weights_hash,
        label_map=LabelMap(
            tuple(version.model_labels),
            tuple(ABSTAIN if target is None else places.get(target, ABSTAIN) for target in version.targets),
        ),
        folder=str(store_folder_of(version.weights_hash)),
        hub_id=specialist.location if is_on_hub else "",
        revision=specialist.revision if is_on_hub else "",
        max_length=version.max_length,
    )
