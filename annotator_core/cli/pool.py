"""The pool of a command: folders and Hub ids become specialists, each with a label map that leaves nothing to guess."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from annotator_core.errors import BadInput, BadLabelMap
from annotator_core.precision import VotingPrecision
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import FolderCard, hash_folder, inspect_folder
from annotator_core.specialists.hub import fetch_kept, is_model_id
from annotator_core.specialists.label_map import find_problems, propose
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """What a command says about its pool; see the command's help. precision: None for what is best on this machine."""

    specialists: tuple[str, ...]
    label_maps: Mapping[str, Path]
    classes: tuple[str, ...]
    max_length: int | None
    allow_holes: bool
    allow_fake: bool
    precision: VotingPrecision | None = None


@dataclass(frozen=True, slots=True)
class HubAccess:
    """What the environment says: the folder of downloads, the Hub's endpoint and token, a language model's key.

    endpoint, token: None for the library's own. llm_key: of --verifier, None for none.
    """

    cache: Path
    endpoint: str | None = None
    token: str | None = field(default=None, repr=False)
    llm_key: str | None = field(default=None, repr=False)


def load_pool(options: PoolOptions, hub: HubAccess) -> list[Specialist]:
    """Return the specialists in the order named; all label maps are checked before the first model is loaded.

    Raises BadInput, BadModelFolder, BadLabelMap, and what fetching does: ModelNotFound, ModelTooLarge, HubUnavailable,
    StorageError, StoreFull.
    """
    return [load_specialist(backend, spec) for backend, spec in plan_pool(options, hub)]


def plan_pool(options: PoolOptions, hub: HubAccess) -> list[tuple[str, SpecialistSpec]]:
    """Return the backend and everything that makes each specialist, in the order named, with nothing loaded yet.

    Transformers have a precision then, that of the options or what a probe finds best. Raises as `load_pool` does.
    """
    strange = sorted(set(options.label_maps) - set(options.specialists))
    if strange:
        raise BadInput(f"--label-map names {strange[0]!r}, which is no --specialist.")
    names = _tell_apart(options.specialists)
    planned = [_plan(source, name, options, hub) for source, name in zip(options.specialists, names, strict=True)]
    return [(backend, _settle_precision(backend, spec, options.precision)) for backend, spec in planned]


def _settle_precision(backend: str, spec: SpecialistSpec, wanted: VotingPrecision | None) -> SpecialistSpec:
    if backend != "torch":
        return spec
    from annotator_core.specialists.torch_backend import pick_precision

    return replace(spec, precision=wanted or pick_precision(spec.folder))


def _tell_apart(sources: Sequence[str]) -> list[str]:
    names = [Path(source).resolve().name if Path(source).is_dir() else source for source in sources]
    return [
        name if names.count(name) == 1 else f"{name}#{names[: index + 1].count(name)}"
        for index, name in enumerate(names)
    ]


def _plan(source: str, name: str, options: PoolOptions, hub: HubAccess) -> tuple[str, SpecialistSpec]:
    folder, revision = _find_folder(source, hub)
    card = inspect_folder(folder, allow_fake=options.allow_fake)
    label_map = _find_map(source, card, options)
    identity = Identity(name, revision, hash_folder(folder))
    return card.backend, SpecialistSpec(folder, label_map, len(options.classes), options.max_length, identity)


def _find_folder(source: str, hub: HubAccess) -> tuple[Path, str]:
    if Path(source).is_dir():
        return Path(source), ""
    model_id, _, revision = source.partition("@")
    if not is_model_id(model_id):
        raise BadInput(f"{source!r} is neither a folder nor a model id like owner/name.")
    fetched = fetch_kept(model_id, revision or None, hub.cache, endpoint=hub.endpoint, token=hub.token)
    return fetched.path, fetched.revision


def _find_map(source: str, card: FolderCard, options: PoolOptions) -> LabelMap:
    if source in options.label_maps:
        label_map = _read_map(options.label_maps[source], card.labels, options.classes)
    else:
        label_map = _propose_map(source, card.labels, options.classes)
    problems = find_problems(label_map, len(options.classes), confirmed_holes=options.allow_holes)
    if problems:
        missing = ", ".join(options.classes[index] for index in problems[0].positions)
        raise BadLabelMap(f"{source}: {problems[0].message} Missing: {missing}. --allow-holes accepts this.")
    return label_map


def _propose_map(source: str, labels: tuple[str, ...], classes: tuple[str, ...]) -> LabelMap:
    proposal = propose(labels, classes)
    if proposal.unresolved:
        example = {
            label: classes[target] if target != ABSTAIN else None
            for label, target in zip(labels, proposal.label_map.targets, strict=True)
        }
        raise BadLabelMap(
            f"{source}: what {', '.join(proposal.unresolved)} means is not clear. Write a file like "
            f"{json.dumps(example, ensure_ascii=False)} (null: abstain) and add --label-map {source}=FILE."
        )
    return proposal.label_map


def _read_map(path: Path, labels: tuple[str, ...], classes: tuple[str, ...]) -> LabelMap:
    try:
        named = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadLabelMap(f"The label map {path} cannot be read as JSON: {error}.") from error
    if not isinstance(named, dict) or set(named) != set(labels):
        raise BadLabelMap(f"The label map {path} must name each of the model's labels: {', '.join(labels)}.")
    return LabelMap(labels, tuple(_find_class(path, named[label], classes) for label in labels))


def _find_class(path: Path, name: object, classes: tuple[str, ...]) -> int:
    if name is None:
        return ABSTAIN
    if name not in classes:
        raise BadLabelMap(f"The label map {path} names {name!r}, which is none of the classes: {', '.join(classes)}.")
    return classes.index(str(name))
