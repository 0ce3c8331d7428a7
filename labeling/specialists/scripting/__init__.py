"""Scripts about a project's specialists: asked for, written, checked, tried in a box, accepted, and voting."""
