"""Stand-ins for tests: a specialist without torch and a model hub on the loopback."""
