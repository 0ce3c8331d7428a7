"""The bridge to the engine: an audit's answers and a pool's votes become figures and certificates."""
