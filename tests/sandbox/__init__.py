"""A local AWS for tests: ministack in an environment of its own, on 127.0.0.1, without Docker."""
