"""The first specialists of a project that no model fits: trained from about a hundred verified labels."""
