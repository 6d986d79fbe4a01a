"""What the cluster tests need besides the project: a Docker engine, and images where no registry is in reach."""
