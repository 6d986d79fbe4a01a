"""`python -m tests.claims [NAME...]`: tries what the rules say on the real server, and writes docs/claims.md
and, for the next run, docs/claims.json.

A NAME is a version, a rule or `rendered`, both (`26.7.4 E9005`), or a whole name from `--list`. What held
before isn't tried again unless `--again` says so. Takes root on Debian 12, Java 17, Maven, and hours
for all.
"""

from __future__ import annotations

import argparse
import signal
import sys

from tests.claims import page, table, trying
from tests.cluster.steps import ClusterError, alone, say


def main() -> int:
    """Does what the command line says. Returns 1 where a claim doesn't hold; raises ClusterError."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.claims", description="What the rules say, on the real server"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a version, a rule, or both; all by default")
    parser.add_argument("--list", action="store_true", help="name them and what came of them")
    parser.add_argument("--again", action="store_true", help="try again what held")
    parser.add_argument(
        "--page", action="store_true", help="write the page from what is known, and try nothing"
    )
    told = parser.parse_args()
    trying.check(table.CLAIMS)
    wanted = trying.named(table.CLAIMS, told.names)
    if told.page:
        page.PAGE.write_text(page.page(table.CLAIMS, trying.known()), "utf-8")
        return 0
    if told.list:
        known = trying.known()
        for claim, version in wanted:
            one = known.get(claim.name(version))
            state = (
                "not tried"
                if one is None or trying.outdated(claim, one)
                else f"{one.date} {'holds' if one.holds else 'WRONG'}"
            )
            print(f"{claim.name(version):80} {state}")
        return 0
    with alone(trying.lock()):
        wrong = trying.attempt(wanted, table.CLAIMS, told.again)
    say(f"{wrong} claims don't hold" if wrong else "all hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    # Ended by another program, it leaves as little behind as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except ClusterError as error:
        say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
