"""Turns phrases into a text as a hurried person would type it."""

import random
import re
from pathlib import Path

ITEMS = (Path(__file__).parent / "phrases" / "items.txt").read_text(encoding="utf-8").splitlines()
GADGETS = ("air fryer", "coffee grinder", "desk lamp", "headset", "keyboard", "kettle", "record player", "toaster")
CLOTHES = ("blue cardigan", "rain jacket", "winter coat", "scarf", "wool jumper", "dressing gown", "linen shirt")
BIG_ITEMS = ("bookshelf", "garden bench", "mattress", "office chair", "standing desk", "suitcase", "wardrobe")
CITIES = (
    "Aarhus",
    "Bergen",
    "Bristol",
    "Cork",
    "Dundee",
    "Ghent",
    "Graz",
    "Halifax",
    "Leeds",
    "Malmö",
    "Porto",
    "Utrecht",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
PEOPLE = ("Aisling", "Deb", "Elif", "Jonas", "Kwame", "Marta", "Nadia", "Oskar", "Priya", "Rosa", "Tom", "Zoë")
TIMES = ("7pm", "half past nine", "noon", "10:40", "3 o'clock", "18:15", "8am", "quarter to two", "16:05")
MONEY = ("£4.99", "£14.99", "£32", "24 euros", "€39", "€7.50", "60 quid", "$18", "£120", "8.90", "45 euro")
NUMBERS = ("3", "4", "5", "6", "7", "8", "9", "three", "four", "five", "six", "two", "2")
PROPER = {*CITIES, *DAYS, *PEOPLE, "Heronpost", "Quillmarket", "I", "ID", "VAT", "PayPal", "Christmas", "ONE", "OK"}
MISSPELLED = {
    "received": "recieved", "definitely": "definately", "tomorrow": "tommorow", "delivery": "delievery",
    "which": "wich", "believe": "beleive", "because": "becuase", "really": "realy", "address": "adress",
    "package": "pakage", "their": "thier", "until": "untill", "separate": "seperate",
    "weird": "wierd", "should have": "should of", "could have": "could of", "a lot": "alot", "you're": "your",
    "to the": "tot he", "friendly": "freindly", "customer": "costumer",
    "quality": "qualty", "replacement": "replacment", "disappointed": "dissapointed", "parcel": "parcle",
    "waiting": "waitng", "again": "agian", "thanks": "thnaks", "arrived": "arived",
}  # fmt: skip
SHORTHAND = {"please": "pls", "you ": "u ", "are you": "r u", "thanks": "thx", "because": "cos", "and ": "& "}
EMOJI = {
    "negative": ("😡", "😤", "🙄", "👎", "😞", "🙃", "🤦", "😂", "👏"),
    "neutral": ("🙂", "🤔", "📦", "🙏", "😊"),
    "positive": ("😊", "❤️", "👍", "🎉", "😍", "🙏", "😂", "😭"),
}


def choose_wording(text: str, rng: random.Random) -> str:
    """The text with one wording taken of every `{a|b}`, innermost first."""
    while "{" in text:
        text = re.sub(r"\{([^{}]*)\}", lambda found: rng.choice(found[1].split("|")), text)
    return re.sub(r" +(?=[.,!?]|$)", "", re.sub(r" {2,}", " ", text)).strip()


def fill_in(phrase: str, rng: random.Random) -> str:
    """The phrase with wordings chosen and slots filled; <day> and <day2> differ."""
    first_day, second_day = rng.sample(DAYS, 2)
    first_city, second_city = rng.sample(CITIES, 2)
    values = {
        "item": rng.choice(ITEMS), "gadget": rng.choice(GADGETS), "cloth": rng.choice(CLOTHES),
        "big": rng.choice(BIG_ITEMS), "city": first_city, "city2": second_city, "day": first_day, "day2": second_day,
        "time": rng.choice(TIMES), "person": rng.choice(PEOPLE), "n": rng.choice(NUMBERS),
        "n2": str(rng.randint(11, 79)), "money": rng.choice(MONEY[:5]), "money2": rng.choice(MONEY[5:]),
        "ref": f"Q-{rng.randint(90_000, 103_999)}",
    }  # fmt: skip
    text = choose_wording(phrase, rng)
    text = re.sub(r"<(\w+)>", lambda found: values[found[1]], text)
    text = re.sub(r"\b([Aa]) (?=air|esp|off)", r"\1n ", text)
    return text[0].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text with a small first letter, unless a name or the word I begins it."""
    word = re.split(r"[\s',.]", text, maxsplit=1)[0]
    return text if word in PROPER or word.isupper() else text[0].lower() + text[1:]


def join_sentences(sentences: list[str]) -> str:
    """One text; each sentence ends in a mark of its own, and goes on in small letters after a comma or colon."""
    text = ""
    for position, sentence in enumerate(sentences):
        body = lower_first(sentence) if text.endswith((",", ":", "But")) else sentence
        is_last_name = position == len(sentences) - 1 and (body in PEOPLE or body.split(", ")[-1] in PEOPLE)
        ends = body.endswith((".", "?", "!", ",", ":", "But")) or is_last_name
        text = f"{text} {body}".strip() + ("" if ends else ".")
    return text


def misspell(text: str, rng: random.Random) -> str:
    """The text with one common misspelling, where a word invites it, else with two letters swapped."""
    inviting = [word for word in MISSPELLED if word in text]
    if inviting:
        word = rng.choice(inviting)
        return text.replace(word, MISSPELLED[word], 1)
    words = text.split(" ")
    long_words = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha() and word.islower()]
    if long_words:
        place = rng.choice(long_words)
        at = rng.randint(1, len(words[place]) - 3)
        word = words[place]
        words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def shorten(text: str) -> str:
    """The text in a messenger's shorthand."""
    for word, short in SHORTHAND.items():
        text = text.replace(word, short)
    return text


def raise_voice(text: str, rng: random.Random) -> str:
    """The text with one word in capitals."""
    words = text.split(" ")
    plain = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha() and word.islower()]
    if plain:
        place = rng.choice(plain)
        words[place] = words[place].upper()
    return " ".join(words)


def roughen(text: str, label: str, rng: random.Random) -> str:
    """The text with the habits of one writer: letter case, apostrophes, slips, marks, emoji."""
    if rng.random() < 0.13:
        text = misspell(text, rng)
    if rng.random() < 0.16:
        text = text.lower()
    if rng.random() < 0.12:
        text = text.replace("'", "")
    if rng.random() < 0.05:
        text = shorten(text)
    if label != "neutral" and rng.random() < 0.06:
        text = raise_voice(text, rng)
    return end_text(text, label, rng)


def end_text(text: str, label: str, rng: random.Random) -> str:
    """The text with its last mark dropped, doubled or followed by an emoji, now and then."""
    chance = rng.random()
    if chance < 0.22:
        text = text.removesuffix(".")
    elif chance < 0.27 and label != "neutral":
        text = text.removesuffix(".") + rng.choice(("!", "!!", "!!!", "..."))
    elif chance < 0.31:
        text = text.removesuffix(".") + "..." if text.endswith(".") else text + rng.choice(("?", "??"))
    return f"{text} {rng.choice(EMOJI[label])}" if rng.random() < 0.07 else text
