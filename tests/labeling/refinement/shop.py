"""Mail to a shop in three kinds that no public model knows: billing, bug, praise."""

from itertools import product

CLASSES = ("billing", "bug", "praise")
OPENINGS = ("Hello,", "Hi there:", "To whom it may concern,", "Quick note,", "Again,")
BODIES = {
    "billing": (
        "I was charged twice this month",
        "the invoice shows a wrong amount",
        "please refund the last payment",
        "my card was billed after I cancelled",
        "where can I download the receipt",
        "the price on the bill is too high",
        "the subscription fee was taken too early",
    ),
    "bug": (
        "the app crashes when I open it",
        "the page shows an error and freezes",
        "the upload button does nothing",
        "login fails with a blank screen",
        "the search returns a broken page",
        "notifications stopped working since the update",
        "the screen flickers and the app hangs",
    ),
    "praise": (
        "I love the new design",
        "great work, thank you so much",
        "this is the best tool I have used",
        "your support team is wonderful",
        "everything is fast and beautiful",
        "I am very happy with the service",
        "fantastic, I recommend it to friends",
    ),
}
ENDINGS = ("on my phone.", "since Monday.", "as always.", "in the web version.", "by the way.")


def shop_texts():
    """525 (text, class name) in an order that mixes the classes."""
    parts = {name: list(product(OPENINGS, bodies, ENDINGS)) for name, bodies in BODIES.items()}
    return [(" ".join(parts[name][at]), name) for at in range(175) for name in CLASSES]
