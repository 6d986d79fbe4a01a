"""`python -m benchmarks [NAME] [OPTION]...`: each figure that the README quotes; `--help` after a name says more."""

from __future__ import annotations

import importlib
import sys

NAMES = {
    "rendering": "render and lint against bare cfn-lint",
    "pack": "cfn-lint with our rules and without",
    "review": "the review of one environment, as text and as a page, against sceptre --version",
    "deploy": "a deployment to the local AWS against the same by bare boto3 calls",
    "rehearsal": "a rehearsal from the command to the full view, against one node of the same image; memory",
}


def main() -> None:
    """Runs one of them; `rendering` without a name."""
    arguments = sys.argv[1:]
    name = arguments.pop(0) if arguments and not arguments[0].startswith("-") else ""
    if name not in NAMES and (name or "--help" in arguments or "-h" in arguments):
        print(__doc__, *(f"  {one:<10} {what}" for one, what in NAMES.items()), sep="\n")
        sys.exit(2 if name else 0)
    if name == "pack":
        importlib.import_module("benchmarks.rendering").main(arguments, "pack")
    else:
        importlib.import_module(f"benchmarks.{name or 'rendering'}").main(arguments)


if __name__ == "__main__":
    main()
