"""What the rules say about Keycloak, tried out on the real server: `python -m tests.claims`."""
