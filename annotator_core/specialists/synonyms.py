"""Words that different models use for one class; chosen from the label names of popular classifiers on the Hub."""

from typing import Final

SYNONYMS: Final[tuple[frozenset[str], ...]] = (
    frozenset({"positive", "pos", "favorable", "favourable", "bullish"}),
    frozenset({"negative", "neg", "unfavorable", "unfavourable", "bearish"}),
    frozenset({"neutral", "neu", "objective"}),
    frozenset({"very positive", "5 stars", "5 star"}),
    frozenset({"very negative", "1 star", "1 stars"}),
    frozenset({"toxic", "toxicity"}),
    frozenset({"non toxic", "nontoxic", "not toxic"}),
    frozenset({"hate", "hateful", "hate speech"}),
    frozenset({"non hate", "nonhate", "not hate", "nothate", "no hate", "non hateful", "not hateful"}),
    frozenset({"offensive", "offense", "offence"}),
    frozenset({"non offensive", "not offensive", "inoffensive"}),
    frozenset({"spam", "junk"}),
    frozenset({"ham", "not spam", "non spam", "no spam"}),
    frozenset({"joy", "happy", "happiness"}),
    frozenset({"sadness", "sad"}),
    frozenset({"anger", "angry"}),
    frozenset({"fear", "afraid", "scared"}),
    frozenset({"surprise", "surprised"}),
    frozenset({"disgust", "disgusted"}),
    frozenset({"irony", "ironic"}),
    frozenset({"non irony", "not ironic", "non ironic"}),
    frozenset({"favor", "favour", "in favor", "in favour", "pro", "support"}),
    frozenset({"against", "con", "oppose"}),
    frozenset({"yes", "true"}),
    frozenset({"no", "false"}),
)
"""Each set is one meaning; words are normalised as by `label_map.normalise`."""
