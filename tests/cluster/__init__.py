"""What the cluster tests need: a Docker engine, and images where no registry is in reach."""
