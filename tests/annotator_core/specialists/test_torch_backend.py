"""The torch backend on tiny real transformers: the plain model's answers, whatever the order, copies or faults."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from annotator_core.consensus.average import has_voted, pick_classes
from annotator_core.errors import BadInput, BadLabelMap, BadModelFolder, PredictionStopped, SpecialistCrashed
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.table import load_specialist
from annotator_core.specialists.token_cache import TokenCache
from annotator_core.specialists.tokens import NO_TOKENS, TokenisedTexts
from annotator_core.specialists.torch_backend import TorchSpecialist, load
from annotator_core.specialists.windows import Failed
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.conftest import LABELS, SENTENCE, make_classifier

TEXTS = [" ".join(SENTENCE.split()[start : start + size]) for start in range(12) for size in range(1, 9)]


def _load(folder: Path, targets: tuple[int, ...] = (0, 1, 2), **changes: object) -> TorchSpecialist:
    label_map = LabelMap(LABELS[: len(targets)], targets)
    spec = SpecialistSpec(folder, label_map, 3, identity=Identity("tiny"), **changes)
    return load_specialist("torch", spec)


def _run_plainly(folder: Path, texts: list[str]) -> np.ndarray:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for text in texts:
        with torch.no_grad():
            rows.append(model(**tokenizer(text, truncation=True, return_tensors="pt")).logits.softmax(-1)[0].numpy())
    return np.array(rows)


def test_predict_equals_the_plain_model_one_by_one(classifier_template: Path) -> None:
    prediction = _load(classifier_template).predict(TEXTS)
    assert np.abs(prediction.probs - _run_plainly(classifier_template, TEXTS)).max() < 1e-5
    assert len(set(pick_classes(prediction.probs))) > 1
    assert (prediction.reasons, prediction.truncated) == ((None,) * len(TEXTS), 0)
    assert prediction.seconds > 0


def test_predict_does_not_depend_on_order_or_copies(classifier_template: Path) -> None:
    tiny = _load(classifier_template)
    once = tiny.predict(TEXTS).probs
    assert np.allclose(tiny.predict(TEXTS[::-1]).probs[::-1], once, atol=1e-5)
    assert np.allclose(tiny.predict(TEXTS * 3).probs, np.concatenate([once] * 3), atol=1e-5)


def test_predict_of_no_texts_is_empty(classifier_template: Path) -> None:
    prediction = _load(classifier_template).predict([])
    assert (prediction.probs.shape, prediction.reasons) == ((0, 3), ())


def test_predict_flawed_texts_abstain_and_spoil_nothing(classifier_template: Path) -> None:
    tiny = _load(classifier_template)
    prediction = tiny.predict(["good movie", "", "bad \ud800", "  ", "bad movie"])
    assert has_voted(prediction.probs).tolist() == [True, False, False, False, True]
    assert prediction.reasons[1:4] == (
        "The text is empty.",
        "The text holds a lone surrogate: it is not Unicode.",
        "The text is empty.",
    )
    assert np.allclose(prediction.probs[[0, 4]], tiny.predict(["good movie", "bad movie"]).probs, atol=1e-6)
    assert not has_voted(tiny.predict(["", " "]).probs).any()


def test_predict_long_texts_are_cut_and_counted(classifier_template: Path) -> None:
    texts = ["good " * 30, "good " * 31, "a" * 1_000_000, "good " * 200_000, "good", "good " * 31]
    prediction = _load(classifier_template).predict(texts)
    assert has_voted(prediction.probs).all()
    assert prediction.truncated == 4
    assert _load(classifier_template, max_length=8).predict(["good " * 6, "good " * 7]).truncated == 1


def test_load_max_length_out_of_reach_is_cut_to_the_models_and_too_short_is_refused(classifier_template: Path) -> None:
    assert _load(classifier_template, max_length=10_000).predict(["good " * 31]).truncated == 1
    with pytest.raises(BadInput, match="at least 8 tokens, not 3"):
        _load(classifier_template, max_length=3)


def test_predict_sums_labels_per_class_and_abstains_outside(classifier_template: Path) -> None:
    plain = _run_plainly(classifier_template, TEXTS)
    prediction = _load(classifier_template, (2, 2, ABSTAIN)).predict(TEXTS)
    votes = has_voted(prediction.probs)
    assert votes.tolist() == (plain.argmax(1) != 2).tolist()
    assert np.allclose(prediction.probs[votes], [0.0, 0.0, 1.0])
    assert {reason for reason in prediction.reasons if reason} == {"The model's answer is none of the classes."}


def spoil_weights(folder: Path, change: Callable[[dict], None]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def fill_word(word: str, value: float) -> Callable[[dict], None]:
    token = 5 + SENTENCE.split().index(word)

    def change(weights: dict) -> None:
        weights["bert.embeddings.word_embeddings.weight"][token] = value

    return change


def test_predict_nan_rows_abstain_and_the_others_vote(classifier: Path) -> None:
    spoil_weights(classifier, fill_word("awful", float("nan")))
    prediction = _load(classifier).predict(["good movie", "awful movie", "bad movie"])
    assert has_voted(prediction.probs).tolist() == [True, False, True]
    assert prediction.reasons[1] == "The model gave no finite number for this text."


def test_predict_a_model_that_gives_only_nan_abstains_everywhere(classifier: Path) -> None:
    spoil_weights(classifier, lambda weights: weights["classifier.bias"].fill_(float("nan")))
    assert not has_voted(_load(classifier).predict(TEXTS).probs).any()


def _shrink_vocabulary(weights: dict) -> None:
    name = "bert.embeddings.word_embeddings.weight"
    weights[name] = weights[name][:20].clone()


def _with_small_vocabulary(folder: Path) -> Path:
    """The tokenizer then knows words (never, again) beyond the model's embeddings."""
    config = json.loads((folder / "config.json").read_text()) | {"vocab_size": 20}
    (folder / "config.json").write_text(json.dumps(config))
    spoil_weights(folder, _shrink_vocabulary)
    return folder


def test_predict_one_row_that_fails_abstains_with_its_reason(classifier: Path) -> None:
    tiny = _load(_with_small_vocabulary(classifier))
    good = ["good movie", "bad flight", "good flight", "bad movie"] * 5
    prediction = tiny.predict([*good, "never again", "good bad", "never again"])
    assert has_voted(prediction.probs).tolist() == [True] * 20 + [False, True, False]
    assert prediction.reasons[20] == prediction.reasons[22]
    assert "the tokenizer knows words that the model does not" in str(prediction.reasons[20])


def test_predict_every_row_failing_is_a_crash(classifier: Path) -> None:
    with pytest.raises(SpecialistCrashed, match="tiny failed on every text"):
        _load(_with_small_vocabulary(classifier)).predict(["never", "again", "never again"])


def test_predict_reading_ahead_gives_the_same(classifier_template: Path) -> None:
    texts = [*TEXTS, "", "x" * 3_000_000, "y" * 3_000_000, *TEXTS[::-1]]
    label_map = LabelMap(LABELS, (0, 1, 2))
    seen: list[int] = []
    plain, ahead = (
        load(SpecialistSpec(classifier_template, label_map, 3), Runtime(device="cpu", reads_ahead=reads_ahead))
        for reads_ahead in (False, True)
    )
    found = ahead.predict(texts, on_progress=lambda done, _total: seen.append(done))
    expected = plain.predict(texts)
    assert np.array_equal(found.probs, expected.probs, equal_nan=True)
    assert (found.reasons, found.truncated) == (expected.reasons, expected.truncated)
    assert seen == sorted(seen)
    assert seen[-1] == len(texts)


def test_predict_in_other_batches_gives_the_same(classifier_template: Path) -> None:
    spec = SpecialistSpec(classifier_template, LabelMap(LABELS, (0, 1, 2)), 3)
    small, large = (load(spec, Runtime(device="cpu", tokens=tokens)).predict(TEXTS).probs for tokens in (64, 8_192))
    assert np.abs(small - large).max() < 1e-5


def test_specialists_that_share_a_tokenizer_tokenise_once(classifier_template: Path, tmp_path: Path) -> None:
    other = make_classifier(tmp_path / "other", seed=1)
    asked: list[bytes] = []

    class Counting(TokenCache):
        def get(self, key: bytes, make: Callable[[], TokenisedTexts]) -> TokenisedTexts:
            return super().get(key, lambda: asked.append(key) or make())

    cache = Counting()
    pool = [
        load(SpecialistSpec(folder, LabelMap(LABELS, (0, 1, 2)), 3, max_length=length), cache=cache)
        for folder, length in ((classifier_template, 32), (other, 32), (other, 16))
    ]
    votes = [one.predict(TEXTS).probs for one in pool]
    assert len(asked) == 2
    assert np.array_equal(votes[1], _load(other, max_length=32).predict(TEXTS).probs)


class _Broken:
    """An engine without a vote for any row."""

    def run(self, _tokens: TokenisedTexts, rows: np.ndarray):
        yield from ((np.array([row]), Failed("broken", is_memory=False)) for row in rows)


def _tokenise_in_part(texts: Sequence[str]) -> TokenisedTexts:
    """A text of one letter has no tokens, "awful" breaks the tokenizer."""
    reasons = {"awful": "The tokenizer failed on this text: KeyError: awful"}
    failures = {i: NO_TOKENS if len(t) == 1 else reasons[t] for i, t in enumerate(texts) if len(t) == 1 or t in reasons}
    zeros = np.zeros(len(texts), np.int64)
    return TokenisedTexts({}, zeros, zeros + 1, zeros.astype(np.bool_), failures)


def test_predict_texts_that_could_not_be_tokenised_abstain_and_are_counted_as_done() -> None:
    spec, seen = SpecialistSpec(Path(), LabelMap(LABELS, (0, 1, 2)), 3), []
    broken = TorchSpecialist(spec, _Broken(), _tokenise_in_part)
    prediction = broken.predict(["x", "y"], on_progress=lambda done, _total: seen.append(done))
    assert prediction.reasons == (NO_TOKENS, NO_TOKENS)
    assert seen[-1] == 2
    with pytest.raises(SpecialistCrashed, match=r"failed on every text\. The tokenizer failed on this text"):
        broken.predict(["x", "awful", "good"])


def test_predict_reports_progress_and_stops_between_batches(classifier_template: Path) -> None:
    tiny, seen = _load(classifier_template), []
    texts = [*TEXTS, *(f"{text} {text}" for text in TEXTS), "", "good", "good"]
    tiny.predict(texts, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (len(texts), len(texts))
    assert len(seen) > 1
    asked = iter([False, False, True])
    with pytest.raises(PredictionStopped):
        tiny.predict(["good", " ".join(["bad"] * 25)] * 2 + TEXTS, should_stop=lambda: next(asked))


def _shorten_head(weights: dict) -> None:
    weights["classifier.bias"] = weights["classifier.bias"][:2].clone()


def test_load_refuses_a_head_for_another_number_of_labels_than_the_config_names(classifier: Path) -> None:
    spoil_weights(classifier, _shorten_head)
    with pytest.raises(BadModelFolder, match="does not load: RuntimeError: "):
        _load(classifier)


def test_load_refuses_a_base_model_without_a_trained_head(classifier: Path) -> None:
    spoil_weights(classifier, lambda weights: [weights.pop(key) for key in ("classifier.weight", "classifier.bias")])
    with pytest.raises(BadModelFolder, match=r"lack classifier.bias \(2 in all\), so its answers would be random"):
        _load(classifier)


def test_load_refuses_what_transformers_cannot_read(classifier: Path) -> None:
    (classifier / "tokenizer.json").write_text("{}")
    with pytest.raises(BadModelFolder, match="does not load"):
        _load(classifier)


def test_load_refuses_a_map_of_other_labels(classifier_template: Path) -> None:
    with pytest.raises(BadLabelMap, match="other labels"):
        _load(classifier_template, (0, 1))


def _make_gpt(folder: Path) -> Path:
    from transformers import GPT2Config, GPT2ForSequenceClassification

    from tests.annotator_core.conftest import make_tokenizer

    make_tokenizer(folder)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    path = folder / "tokenizer_config.json"
    kept = {key: value for key, value in json.loads(path.read_text()).items() if not key.endswith("_token")}
    path.write_text(json.dumps(kept | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    config = GPT2Config(
        vocab_size=120, n_embd=16, n_layer=1, n_head=2, n_positions=40, id2label=dict(enumerate(LABELS)), num_labels=3
    )
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_predict_a_model_without_a_padding_token_takes_one_text_at_a_time(tmp_path: Path) -> None:
    tiny = _load(_make_gpt(tmp_path))
    assert has_voted(tiny.predict(["good movie", "bad", "very late flight"]).probs).all()


def _make_roberta(folder: Path) -> Path:
    """Left to itself, position ids of RoBERTa start behind the padding id: padding must not move them."""
    from tests.annotator_core.conftest import make_tokenizer

    make_tokenizer(folder)
    _save_roberta(folder, pad_token_id=0)
    return folder


def _save_roberta(folder: Path, pad_token_id: int) -> None:
    from transformers import RobertaConfig, RobertaForSequenceClassification

    config = RobertaConfig(
        vocab_size=120,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
        pad_token_id=pad_token_id,
        type_vocab_size=2,
        id2label=dict(enumerate(LABELS)),
        num_labels=3,
        initializer_range=0.5,
    )
    RobertaForSequenceClassification(config).save_pretrained(folder)


def test_predict_roberta_equals_the_plain_model(tmp_path: Path) -> None:
    folder = _make_roberta(tmp_path)
    assert np.abs(_load(folder).predict(TEXTS).probs - _run_plainly(folder, TEXTS)).max() < 1e-5


def make_bertweet(folder: Path) -> Path:
    """A tokenizer written in Python, as that of one of the paper's specialists."""
    folder.mkdir(exist_ok=True)
    letters = sorted(set(SENTENCE) - {" "})
    (folder / "vocab.txt").write_text("".join(f"{letter}@@ 1\n{letter} 1\n" for letter in letters))
    (folder / "bpe.codes").write_text("#version: 0.2\n")
    tokenizer = {"tokenizer_class": "BertweetTokenizer", "model_max_length": 30}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    _save_roberta(folder, pad_token_id=1)
    return folder


def test_predict_with_a_tokenizer_written_in_python_counts_what_it_cut(tmp_path: Path) -> None:
    tiny = _load(make_bertweet(tmp_path))
    prediction = tiny.predict(["good movie", "good " * 7, "good " * 8, "awful"])
    assert has_voted(prediction.probs).all()
    assert prediction.truncated == 1


def test_specialists_of_other_seeds_disagree(classifier_template: Path, tmp_path: Path) -> None:
    other = make_classifier(tmp_path / "other", seed=1)
    one, two = (pick_classes(_load(folder).predict(TEXTS).probs) for folder in (classifier_template, other))
    assert 0 < np.mean(one == two) < 1
