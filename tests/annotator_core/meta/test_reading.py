"""What is safe to load is decided before a byte of the weights."""

import json
from pathlib import Path

import pytest

from annotator_core.errors import BadInput, HubUnavailable
from annotator_core.fakes.hub import FakeHub, find_commit
from annotator_core.fakes.hub_search import Step
from annotator_core.meta.hub_api import Hub
from annotator_core.meta.reading import MAX_CARD_CHARS, REFUSALS, Refusal, clean_card, read_model
from tests.annotator_core.meta.made import make_folder

MANY = 10_000_000


def test_a_safe_classifier_is_read_at_a_pinned_commit(fake_hub: FakeHub, hub: Hub, models: dict[str, Path]) -> None:
    fake_hub.content.facts["acme/sentiment-courier"]["tags"] = ["license:apache-2.0"]
    found = read_model(hub, "acme/sentiment-courier", MANY)
    commit = find_commit(models["acme/sentiment-courier"])
    assert (found.refusals, found.revision, found.license) == ((), commit, "apache-2.0")
    assert found.labels == ("negative", "neutral", "positive")
    assert found.card.startswith("A sentiment classifier of customer feedback")
    assert found.size_bytes == sum(
        path.stat().st_size for path in models["acme/sentiment-courier"].iterdir() if path.suffix != ".py"
    )
    files = [line for line in fake_hub.content.requests if "/resolve/" in line]
    assert all(f"/resolve/{commit}/" in line for line in files)
    assert not any("safetensors" in line for line in files)


@pytest.mark.parametrize(
    ("name", "refusals"),
    [
        ("acme/sentiment-pickled", (Refusal.NO_SAFETENSORS,)),
        ("acme/sentiment-code", (Refusal.OWN_CODE,)),
        ("acme/sentiment-encoder", (Refusal.NO_CLASSIFIER,)),
        ("acme/sentiment-scores", (Refusal.NOT_ONE_LABEL,)),
        ("acme/sentiment-bare", (Refusal.NO_CONFIG, Refusal.NO_TOKENIZER)),
        ("acme/never-heard-of", (Refusal.GONE,)),
    ],
)
def test_what_is_not_safe_or_no_classifier_is_refused(hub: Hub, name: str, refusals: tuple[Refusal, ...]) -> None:
    assert read_model(hub, name, MANY).refusals == refusals
    assert all(REFUSALS[why] for why in refusals)


def test_a_model_over_the_limit_is_refused(hub: Hub) -> None:
    assert read_model(hub, "acme/sentiment-courier", 1_000).refusals == (Refusal.TOO_LARGE,)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"gated": "manual"}, Refusal.GATED),
        ({"gated": "auto"}, Refusal.GATED),
        ({"tags": ["custom_code"]}, Refusal.OWN_CODE),
        ({"sha": "main"}, Refusal.NO_COMMIT),
        ({"sha": None}, Refusal.NO_COMMIT),
        ({"sha": "../../x"}, Refusal.NO_COMMIT),
    ],
)
def test_what_the_hub_says_of_it_may_refuse_it(
    fake_hub: FakeHub, hub: Hub, facts: dict[str, object], refusal: Refusal
) -> None:
    fake_hub.content.facts["acme/sentiment-courier"].update(facts)
    assert read_model(hub, "acme/sentiment-courier", MANY).refusals == (refusal,)


def test_gated_since_it_was_listed(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.gated = frozenset({"acme/spam"})
    assert read_model(hub, "acme/spam", MANY).refusals == (Refusal.GATED,)


def test_deleted_between_search_and_fetch(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.lost = frozenset({"acme/spam"})
    assert read_model(hub, "acme/spam", MANY).refusals == (Refusal.GONE,)


def test_a_name_that_can_be_no_models_is_never_asked_for(fake_hub: FakeHub, hub: Hub) -> None:
    with pytest.raises(BadInput):
        read_model(hub, "../../api/whoami", MANY)
    assert fake_hub.content.requests == []


@pytest.mark.parametrize("config", [b"[]", b"{", b'"x"', b"[" * 50_000])
def test_a_config_that_is_none(fake_hub: FakeHub, hub: Hub, config: bytes) -> None:
    fake_hub.content.steps.append(Step("config.json", status=200, body=config))
    assert read_model(hub, "acme/spam", MANY).refusals == (Refusal.NO_CONFIG,)


def test_a_config_and_a_card_have_a_limit(fake_hub: FakeHub, hub: Hub) -> None:
    for name in ("config.json", "README.md"):
        fake_hub.content.steps.append(Step(name, status=200, body=b" " * 3_000_000))
        with pytest.raises(HubUnavailable, match="more than"):
            read_model(hub, "acme/spam", MANY)


def test_a_model_without_a_card_or_with_files_of_odd_shapes_is_read(
    fake_hub: FakeHub, hub: Hub, tmp_path: Path
) -> None:
    fake_hub.content.models["a/b"] = make_folder(tmp_path / "b", drop=["README.md"])
    siblings = [{"rfilename": name, "size": 1} for name in ("config.json", "model.safetensors", "vocab.txt")]
    fake_hub.content.facts["a/b"] = {"siblings": [*siblings, None, {"size": "x"}], "tags": "none", "cardData": []}
    found = read_model(hub, "a/b", MANY)
    assert (found.refusals, found.card, found.license, found.size_bytes) == ((), "", "", 3)


def test_labels_and_license_are_plain_text(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.facts["acme/spam"]["cardData"] = {"license": "mit\n\x1b[31m" + "x" * 500}
    assert read_model(hub, "acme/spam", MANY).license.isprintable()
    body = json.dumps({"architectures": ["XForSequenceClassification"], "id2label": {"0": "a\x00", "1": "b"}})
    fake_hub.content.steps.append(Step("config.json", status=200, body=body.encode()))
    assert read_model(hub, "acme/spam", MANY).refusals == (Refusal.NOT_ONE_LABEL,)


def test_a_card_is_cut_and_cleaned() -> None:
    card = clean_card("---\na: b\n---\n# Hi <script>alert(1)</script>\nhttps://evil.example/x \u202e" + "word " * 9_000)
    assert card.startswith("Hi alert(1) word")
    assert len(card) == MAX_CARD_CHARS
    assert "\u202e" not in card


def test_sizes_that_no_disk_has_stay_a_number_that_a_database_takes(fake_hub: FakeHub, hub: Hub) -> None:
    fake_hub.content.facts["acme/sentiment-courier"]["siblings"] = [
        {"rfilename": f"model-{number}.safetensors", "size": 10**30} for number in range(2_000)
    ]
    assert read_model(hub, "acme/sentiment-courier", MANY).size_bytes < 2**63
