"""`python -m tests.cluster`: the engine and the images of the cluster tests, by hand.

    engine up|down|status|remove   start and stop the engine; `remove` deletes its images as well
    engine shell                   a shell in which docker and published ports are in reach
    images NAME:TAG...             see to it that the engine has these images
    detection [NAME...]            measure how long a lost node costs, and write the page (hours; `--list` names all)
    run -- COMMAND...              run a command where that shell is (the engine has to be up)
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import NoReturn

from tests.cluster import detection, engine, images
from tests.cluster.steps import ClusterError, say


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster",
                                     description="The engine and the images of the cluster tests")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("engine", help="start and stop the engine")
    one.add_argument("action", choices=("up", "down", "status", "shell", "remove"))
    two = commands.add_parser("images", help="see to it that the engine has images")
    two.add_argument("names", nargs="+", metavar="NAME:TAG")
    four = commands.add_parser("detection", help="measure how long a lost node costs")
    four.add_argument("names", nargs="*", metavar="NAME", help="such as `26.7.4 dns own 2`; all by default")
    four.add_argument("--step", action="append", default=[], choices=detection.WAYS,
                      help="only this; may be repeated (default: all)")
    four.add_argument("--list", action="store_true", help="name them and what was measured")
    four.add_argument("--again", action="store_true", help="measure again what was measured")
    three = commands.add_parser("run", help="run a command where docker and published ports are in reach")
    three.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser.parse_args()


def _running() -> engine.Engine:
    found = engine.find()
    if found is None:
        raise ClusterError("no engine runs (python -m tests.cluster engine up)")
    return found


def _become(command: list[str]) -> NoReturn:
    """Go on as another program."""
    if not command:
        raise ClusterError("run: which command?")
    found = _running()
    whole = found.command(*command)
    try:
        os.execvpe(whole[0], whole, found.environment)
    except FileNotFoundError:
        raise ClusterError(f"there is no {whole[0]}") from None


def _detection(told: argparse.Namespace) -> None:
    known = {setup.name: setup for setup in detection.setups()}
    if unknown := [name for name in told.names if name not in known]:
        raise ClusterError(f"no such cluster: {', '.join(unknown)} (known: {', '.join(known)})")
    if told.list:
        measured = detection.figures()
        for name in known:
            print(f"{name:26} {', '.join(measured.get(name, ())) or 'not measured'}")
        return
    detection.measure([known[name] for name in told.names or known], told.step, told.again)


def main() -> int:
    """Do what the command line says. Returns 0, or 1 where `status` finds no engine; raises ClusterError."""
    told = _arguments()
    if told.command == "images":
        images.provide(engine.up(), told.names)
    elif told.command == "detection":
        _detection(told)
    elif told.command == "run":
        _become(told.arguments[1:] if told.arguments[:1] == ["--"] else told.arguments)
    elif told.action == "up":
        engine.up()
        print(engine.status())
    elif told.action == "down":
        print("stopped" if engine.down() else "no engine of ours runs")
    elif told.action == "remove":
        engine.remove()
    elif told.action == "shell":
        _become([os.environ.get("SHELL", "/bin/bash")])
    else:
        line = engine.status()
        print(line or "no engine runs")
        return 0 if line else 1
    return 0


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
