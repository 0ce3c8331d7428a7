"""Template tags of the llm room."""
