"""Forms about runs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.llm.queries import connections_of
from labeling.projects.models import Project
from labeling.runs.asking_form import AskingForm
from labeling.runs.models import Aggregator, Mode, PolicyName, VoteAhead
from labeling.runs.policies import DEFAULT_BETA, PAPER_BETA, Policy, default_policy, paper_policy, propose_beta
from labeling.runs.queries import ready_datasets, votable_versions
from labeling.runs.wording import Figure, beta_advice, figures_of, word_rate
from labeling.specialists.models import SpecialistVersion

BETA_HELP = _("So many decisions that nobody has learned from yet start a round.")
BUDGET_HELP = _(
    "People see at most this share of all rows, the least certain ones. The others keep the answer of the specialists."
    " Texts drawn for an audit come on top."
)
TARGET_HELP = _(
    "At most this share of the labels that no person saw may be wrong, with 95% confidence. Until an audit certifies it"
    " people see every disagreement; then, every row that the certificate does not cover. Certifying 5% takes about 350"
    " audited texts where 2% are wrong, about 1,000 where 3% are."
)
AGGREGATOR_HELP = _(
    "An audit races all ways to combine votes against the best single specialist. Before it has about 150 answers, of"
    " which 50 fit, the averaged probability is taken. Re-routing by the winner asks no model. With a target error it"
    " is always the race's winner."
)
PROPOSED = ("mode", "cap", "min_agree", "answer_use", "ask_strategy", "draws", "shows_votes", "sure_from")
"""What an address may propose for the field of the same name."""
BLANK = Policy(min_agree=1)
"""Where the figures of a custom policy start."""
NAMED = (
    (PolicyName.DEFAULT, _("Recommended")),
    (PolicyName.PAPER, _("The paper's")),
    (PolicyName.CUSTOM, _("Custom")),
)


class LearningForm(forms.Form):
    """The figures of a policy by which a run learns; shares are percentages here."""

    vote_ahead = forms.ChoiceField(
        label=_("How far votes run ahead"),
        choices=VoteAhead.choices,
        widget=forms.RadioSelect,
        initial=VoteAhead.ALL,
        required=False,
        help_text=_("Stopping at a full pool costs waiting, but every later row meets the better specialists at once."),
    )
    beta = forms.IntegerField(
        label=_("Hard pool (beta)"),
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("never")}),
        help_text=_("Decided rows that start a round. Leave it empty, and none starts by itself."),
    )
    replay_share = forms.FloatField(
        label=_("Replay in percent"),
        initial=20,
        required=False,
        help_text=_("The share of the training set that is verified rows from before; it keeps what was learned."),
    )
    random_share = forms.FloatField(
        label=_("Random rows in percent"),
        initial=0,
        required=False,
        help_text=_("Of a pool's size, so many accepted rows go to people too: hard rows alone are a skewed sample."),
    )
    is_gated = forms.BooleanField(
        label=_("Gate: a new version votes only where it is better on held-out rows"), initial=True, required=False
    )
    has_frame = forms.BooleanField(label=_("Keep the audit frame out of every training"), initial=True, required=False)
    renews_accepted = forms.BooleanField(
        label=_("Let accepted rows vote again when the queue is empty"), initial=True, required=False
    )
    epochs = forms.IntegerField(label=_("Epochs"), initial=BLANK.epochs, required=False)
    learning_rate = forms.FloatField(
        label=_("Learning rate"),
        initial=word_rate(BLANK.learning_rate),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=_("2e-5 suits models of the size of BERT; very small ones learn at about 5e-4."),
    )
    batch_size = forms.IntegerField(label=_("Texts in a batch"), initial=BLANK.batch_size, required=False)

    def learning(self) -> dict[str, Any]:
        """The figures as fields of a Policy; what was left empty is as it was at the start."""
        data = self.cleaned_data
        shares = {name: data[name] / 100 for name in ("replay_share", "random_share") if data[name] is not None}
        numbers = {name: data[name] for name in ("epochs", "learning_rate", "batch_size") if data[name] is not None}
        switches = {name: data[name] for name in ("is_gated", "has_frame", "renews_accepted", "beta")}
        return shares | numbers | switches | {"vote_ahead": VoteAhead(data["vote_ahead"] or VoteAhead.ALL)}


class RunForm(AskingForm, LearningForm):
    """The plan of a run: data set, pool, who reviews, and a policy, named or put together by hand."""

    dataset = forms.ModelChoiceField(queryset=Dataset.objects.none(), label=_("Data set"), empty_label=None)
    versions = forms.MultipleChoiceField(label=_("Specialists that vote"), widget=forms.CheckboxSelectMultiple)
    policy = forms.ChoiceField(label=_("Policy"), choices=NAMED, widget=forms.RadioSelect, initial=PolicyName.DEFAULT)
    default_beta = forms.IntegerField(
        label=_("Hard pool (beta)"), min_value=1, max_value=2**31 - 1, required=False, help_text=BETA_HELP
    )
    default_budget = forms.FloatField(
        label=_("Review budget in percent"),
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("none")}),
        help_text=_("Empty: people see every disagreement. With a budget they see at most this share of all rows."),
    )
    default_target = forms.FloatField(
        label=_("Target error in percent"),
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("none")}),
        help_text=TARGET_HELP,
    )
    paper_beta = forms.IntegerField(
        label=_("Hard pool (beta)"), min_value=1, max_value=2**31 - 1, required=False, help_text=BETA_HELP
    )
    rule = forms.ChoiceField(
        label=_("Rows are reviewed"),
        choices=[
            ("agree", _("where too few specialists agree")),
            ("budget", _("where they are least certain, up to a budget")),
            ("target", _("where an audit's certificate does not cover them")),
        ],
        widget=forms.RadioSelect,
        initial="agree",
        required=False,
    )
    min_agree = forms.IntegerField(
        label=_("How many must agree"),
        min_value=1,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("all")}),
        help_text=_("Leave it empty for all of them. Rows on which fewer agree wait for a person."),
    )
    review_budget = forms.FloatField(
        label=_("Review budget in percent"),
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "20"}),
        help_text=BUDGET_HELP,
    )
    target_error = forms.FloatField(
        label=_("Target error in percent"),
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "5"}),
        help_text=TARGET_HELP,
    )
    aggregator = forms.ChoiceField(
        label=_("Consensus"),
        choices=Aggregator.choices,
        widget=forms.RadioSelect,
        initial=Aggregator.AVERAGE,
        required=False,
        help_text=AGGREGATOR_HELP,
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, project: Project, proposed: Mapping[str, Any] | None = None
    ) -> None:
        """`proposed` is what `proposal.ProposalForm` read: where the form stands before anybody touches it."""
        super().__init__(data)
        proposed = proposed or {}
        datasets = ready_datasets(project)
        self.available = {str(version.pk): version for version in votable_versions(project)}
        cast("forms.ModelChoiceField[Dataset]", self.fields["dataset"]).queryset = datasets
        cast(forms.MultipleChoiceField, self.fields["versions"]).choices = [
            (pk, str(version)) for pk, version in self.available.items()
        ]
        self.fields["versions"].initial = list(self.available)
        self.offer(connections_of(project))
        wanted = str((data or {}).get("dataset") or proposed.get("dataset", ""))
        shown = (datasets.filter(pk=wanted).first() if wanted.isdecimal() else None) or datasets.first()
        self.fields["dataset"].initial = shown and shown.pk
        self.row_count = shown.row_count if shown else 0
        for name, beta in (("default_beta", DEFAULT_BETA), ("paper_beta", PAPER_BETA)):
            self.fields[name].initial = propose_beta(beta, self.row_count)
        self._take_up(proposed)

    def _take_up(self, proposed: Mapping[str, Any]) -> None:
        """Begin with what was proposed; another rule of agreement than "all" is a policy of one's own."""
        places = {name: (name,) for name in PROPOSED} | {"beta": ("default_beta", "beta")}
        for given, names in places.items():
            for name in names if given in proposed else ():
                self.fields[name].initial = proposed[given]
        if "min_agree" in proposed:
            self.fields["policy"].initial = PolicyName.CUSTOM
        wanted = str(proposed.get("verifier", "")).split(",")
        if chosen := [pk for pk in self.connections if pk in wanted]:
            self.fields["verifiers"].initial = chosen

    def clean(self) -> dict[str, Any]:
        """A budget, or a target error, must be given where it is the rule."""
        data = self.cleaned_data
        is_custom = data.get("policy") == PolicyName.CUSTOM
        if is_custom and data.get("rule") == "budget":
            self._require("review_budget", str(_("Say what share of the rows people may review.")))
        if is_custom and data.get("rule") == "target":
            self._require("target_error", str(_("Say what share of the accepted labels may be wrong.")))
        self.clean_asking()
        return data

    def _require(self, name: str, message: str) -> None:
        if self.cleaned_data.get(name) is None and name not in self.errors:
            self.add_error(name, message)

    def chosen_versions(self) -> list[SpecialistVersion]:
        """The pool in the order of the page."""
        return [self.available[pk] for pk in self.cleaned_data["versions"]]

    def chosen_policy(self) -> Policy:
        """How the run will route and learn."""
        data, asked = self.cleaned_data, self.asked_policy()
        count, mode = len(data["versions"]), Mode(asked["mode"])
        if data["policy"] == PolicyName.DEFAULT:
            beta = data["default_beta"] or propose_beta(DEFAULT_BETA, data["dataset"].row_count)
            budget, target = data["default_budget"], data["default_target"]
            named = default_policy(count, review_budget=budget, target_error=target, beta=beta, mode=mode)
            return replace(named, **asked)
        if data["policy"] == PolicyName.PAPER:
            beta = data["paper_beta"] or propose_beta(PAPER_BETA, data["dataset"].row_count)
            named = paper_policy(count, beta=beta, mode=mode)
            return replace(named, **asked | {"answer_use": named.answer_use})
        return self._custom_policy(count, asked)

    def _custom_policy(self, count: int, asked: dict[str, Any]) -> Policy:
        data = self.cleaned_data
        is_target = data["rule"] == "target"
        return Policy(
            min_agree=data["min_agree"] or count,
            review_budget=data["review_budget"] if data["rule"] == "budget" else None,
            target_error=data["target_error"] if is_target else None,
            aggregator=Aggregator(data["aggregator"]) if data["aggregator"] and not is_target else None,
            **self.learning() | asked,
        )

    def field_of(self, name: str | None) -> str | None:
        """The field in which the chosen policy asks for that part of it; None for the form as a whole."""
        own = {
            (PolicyName.DEFAULT, "beta"): "default_beta",
            (PolicyName.DEFAULT, "review_budget"): "default_budget",
            (PolicyName.DEFAULT, "target_error"): "default_target",
            (PolicyName.PAPER, "beta"): "paper_beta",
        }
        found = own.get((self.cleaned_data["policy"], name or ""), name)
        return found if found in self.fields else None

    def has_training_errors(self) -> bool:
        """Whether a figure of the training was refused, so that its part of the page stands open."""
        return any(name in self.errors for name in ("epochs", "learning_rate", "batch_size"))

    def default_figures(self) -> list[Figure]:
        """The recommended policy in words, but for what the page lets people change."""
        return self._fixed(default_policy(len(self.available)))

    def paper_figures(self) -> list[Figure]:
        """The paper's policy in words, but for the hard pool."""
        return self._fixed(paper_policy(len(self.available)))

    def _fixed(self, policy: Policy) -> list[Figure]:
        hard, *others = figures_of(policy, len(self.available))
        return [replace(hard, name=str(_("Reviewed"))), *(figure for figure in others if not figure.is_open)]

    def default_advice(self) -> str:
        """Why the recommended hard pool is smaller for this data set."""
        return beta_advice(DEFAULT_BETA, self.row_count)

    def paper_advice(self) -> str:
        """Why the paper's hard pool is smaller for this data set."""
        return beta_advice(PAPER_BETA, self.row_count)
