"""A model folder becomes a specialist in one call, for those who write Python."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from annotator_core.errors import BadLabelMap
from annotator_core.precision import VotingPrecision
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import hash_folder, inspect_folder
from annotator_core.specialists.label_map import find_problems, propose
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap


def open_specialist(  # noqa: PLR0913 - all that a folder leaves open, by its name, keyword-only
    folder: Path | str,
    classes: Sequence[str],
    *,
    meanings: Mapping[str, str | None] | None = None,
    max_length: int | None = None,
    allow_holes: bool = False,
    allow_fake: bool = False,
    precision: VotingPrecision | None = None,
) -> Specialist:
    """Return the specialist of a model folder, ready to vote on these k classes, in this order.

    meanings: what each of the model's labels means, a class or None to abstain; without it labels that plainly name a
    class are taken so. max_length: tokens a text is cut at, None for the model's own limit. allow_holes: accept classes
    that no label means. allow_fake: accept fakes, for tests. precision: of a transformer's weights, None for what is
    best on this machine; with ``fp32`` the order of the texts changes nothing.
    Raises BadModelFolder for a folder that is refused, BadLabelMap where a meaning is missing, unclear or no class,
    BadInput for a max_length under 8.

    >>> import tempfile
    >>> from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
    >>> with tempfile.TemporaryDirectory() as home:
    ...     fake = FakeSettings(("POS", "NEG"), keywords={"great": "POS"}, noise=0.0)
    ...     folder, meanings = write_fake_specialist(Path(home), fake), {"POS": "good", "NEG": "bad"}
    ...     specialist = open_specialist(folder, ["bad", "good"], meanings=meanings, allow_fake=True)
    ...     specialist.predict(["a great day"]).probs.argmax(axis=1).tolist()
    [1]
    """
    path = Path(folder)
    card = inspect_folder(path, allow_fake=allow_fake)
    label_map = _propose(card.labels, classes) if meanings is None else _read(meanings, card.labels, classes)
    problems = find_problems(label_map, len(classes), confirmed_holes=allow_holes)
    if problems:
        missing = ", ".join(classes[index] for index in problems[0].positions)
        raise BadLabelMap(f"{path}: {problems[0].message} Missing: {missing}.")
    identity = Identity(path.resolve().name, "", hash_folder(path))
    return load_specialist(card.backend, SpecialistSpec(path, label_map, len(classes), max_length, identity, precision))


def _propose(labels: tuple[str, ...], classes: Sequence[str]) -> LabelMap:
    proposal = propose(labels, tuple(classes))
    if proposal.unresolved:
        raise BadLabelMap(f"What {', '.join(proposal.unresolved)} means is not clear: say it in meanings.")
    return proposal.label_map


def _read(meanings: Mapping[str, str | None], labels: tuple[str, ...], classes: Sequence[str]) -> LabelMap:
    if set(meanings) != set(labels):
        raise BadLabelMap(f"The meanings must name each of the model's labels: {', '.join(labels)}.")
    strange = [name for name in meanings.values() if name is not None and name not in classes]
    if strange:
        raise BadLabelMap(f"{strange[0]!r} is none of the classes: {', '.join(classes)}.")
    indices = {name: index for index, name in enumerate(classes)}
    return LabelMap(labels, tuple(ABSTAIN if (name := meanings[label]) is None else indices[name] for label in labels))
