"""Figures the README quotes: ratios against the bare `cfn-lint` command, measured in the same run."""
