"""The sandbox's own tests, and what ties a stack in it to tasks that really run."""
