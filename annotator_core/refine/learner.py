"""A model in training: one step at a time, and everything that a later process needs to go on to the bit.

Source: AdamW is Loshchilov and Hutter's (2019, arXiv 1711.05101), with AutoAnnotator's figures (engine section 1).
"""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from annotator_core.errors import BadInput, BadLabelMap, BadModelFolder
from annotator_core.refine.batches import group_by_length
from annotator_core.refine.folders import copy_companions, write_beside
from annotator_core.refine.heads import replace_head
from annotator_core.refine.loading import load_model, load_tokenizer, tokenise_rows
from annotator_core.refine.loss import average, find_losses, find_wanted
from annotator_core.refine.plan import Step, TrainingPlan, TrainingRequest
from annotator_core.refine.words import keep_word_gradient
from annotator_core.specialists.folder import FolderCard, inspect_folder

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

WARM_UP_SHARE: Final = 0.1
"""Share of the steps in which the learning rate rises to its value; then it falls linearly to 0. Chosen."""

CLIP_NORM: Final = 1.0


class Learner:
    """The training of one request, in memory. epoch: the one it is in, from 1; 0 before the first.

    The same request on the same CPU with the same number of threads gives the same weights to the bit, also when state
    went through `get_state` and `set_state` in between.
    """

    def __init__(self, request: TrainingRequest, *, is_fused: bool = True) -> None:
        """Load the model and read the rows.

        is_fused: whether AdamW runs as one kernel: 8 times as fast (13 for 109 ms a step at 22 M weights, one thread),
        equal but for the last bit.
        Raises BadModelFolder for a folder that is refused or does not load, BadLabelMap for a map of other labels,
        BadInput for rows that the model cannot read.
        """
        import torch

        card = inspect_folder(request.folder)
        if card.labels != request.label_map.model_labels:
            raise BadLabelMap(f"The label map is for other labels than those of the model in {request.folder}.")
        torch.manual_seed(request.plan.seed)
        self._plan, self._folder = request.plan, request.folder
        self._model = _load_for(request, card)
        self._words = keep_word_gradient(self._model)
        self._tokenizer = load_tokenizer(request.folder)
        length = min(request.plan.max_length, card.max_length or request.plan.max_length)
        self._token_ids = tokenise_rows(self._tokenizer, self._model, [row.text for row in request.rows], length)
        wanted = find_wanted(request.trained_map, len(request.class_names))
        self._wanted = wanted[[row.class_index for row in request.rows]]
        self._weights = torch.tensor([row.weight for row in request.rows])
        self.step_count = request.plan.epochs * -(-len(request.rows) // request.plan.batch_size)
        self._optimizer, self._schedule = make_optimizer(self._model, request.plan, self.step_count, is_fused=is_fused)
        self._rng = random.Random(request.plan.seed)  # noqa: S311 - not for secrets
        self.epoch = 0
        self.losses: list[float] = []
        self._batches: list[list[int]] = []

    @property
    def has_batches(self) -> bool:
        """Whether a step of the epoch is left to take."""
        return bool(self._batches)

    def begin_epoch(self) -> None:
        """Draw the batches of the next epoch."""
        self.epoch += 1
        lengths = [len(ids) for ids in self._token_ids]
        self._batches = group_by_length(lengths, self._plan.batch_size, self._rng)

    def take_step(self) -> Step:
        """Return what the epoch's next batch cost before the weights moved.

        Raises BadInput where the loss is no number any more: such weights are of no use.
        """
        import torch

        loss = self._find_loss(self._batches.pop(0))
        self._optimizer.zero_grad()
        loss.backward()
        if self._words:
            self._words.spread()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), CLIP_NORM)
        self._optimizer.step()
        self._schedule.step()
        self.losses.append(float(loss.detach()))
        if not math.isfinite(self.losses[-1]):
            raise BadInput(f"The training ran away at step {len(self.losses)}: choose a smaller learning rate.")
        return Step(len(self.losses), self.step_count, self.losses[-1])

    def _find_loss(self, rows: Sequence[int]) -> "Tensor":
        import torch

        device = self._model.device
        inputs = self._tokenizer.pad({"input_ids": [self._token_ids[row] for row in rows]}, return_tensors="pt")
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self._plan.precision == "bf16"):
            logits = self._model(
                input_ids=inputs["input_ids"].to(device), attention_mask=inputs["attention_mask"].to(device)
            ).logits
        losses = find_losses(logits, self._wanted[rows].to(device))
        return average(losses, self._weights[rows].to(device))

    def get_state(self) -> dict[str, Any]:
        """Return all that decides how the training goes on, in the types that a checkpoint can hold."""
        import torch

        return {
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "rng": self._rng.getstate(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all(),
            "epoch": self.epoch,
            "batches": self._batches,
            "losses": self.losses,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state that a learner of the same request gave."""
        import torch

        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._rng.setstate(state["rng"])
        self.epoch, self._batches, self.losses = state["epoch"], state["batches"], state["losses"]
        torch.set_rng_state(state["torch_rng"])
        torch.cuda.set_rng_state_all(state["cuda_rng"])

    def write(self, folder: Path) -> Path:
        """Return the folder, which appears whole: the weights as they are now, with the tokenizer they came with."""
        with write_beside(folder) as beside:
            self._model.save_pretrained(beside)
            copy_companions(self._folder, beside)
        return folder


def _load_for(request: TrainingRequest, card: FolderCard) -> "PreTrainedModel":
    import torch

    model, loading = load_model(request.folder)
    missing = sorted(str(key) for kind in ("missing_keys", "mismatched_keys") for key in loading[kind])
    if missing:
        raise BadModelFolder(f"The weights in {card.path} lack {missing[0]} ({len(missing)} in all): fetch it again.")
    if request.needs_new_head:
        replace_head(model, request.label_map, request.class_names, seed=request.plan.seed)
    model.train()
    cast(Any, model).to("cuda" if torch.cuda.is_available() else "cpu")
    return model


def make_optimizer(model: "nn.Module", plan: TrainingPlan, step_count: int, *, is_fused: bool) -> tuple[Any, Any]:
    """Return AdamW, which spares biases and layer norms from weight decay, and its warm-up and linear decay."""
    import torch

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate, fused=is_fused)
    warm_up = max(1, round(WARM_UP_SHARE * step_count))

    def rate(step: int) -> float:
        return min((step + 1) / warm_up, (step_count - step) / max(1, step_count - warm_up))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
