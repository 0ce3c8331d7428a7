"""AutoAnnotator: the site."""

__version__ = "0.1.0"
