"""How a person likes the review screen: keys of their own, and whether an answer goes on by itself."""
