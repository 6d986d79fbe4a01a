"""Does every task see every other, and how long did it take?"""

from __future__ import annotations

from collections.abc import Iterator

from generator.drilling import causes, views
from generator.drilling.exercise import Cluster, Exercise
from generator.drilling.promises import Figure, Promise
from generator.drilling.step import Step


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    cluster = exercise.settle()
    for task in cluster.tasks:
        exercise.moment("note", f"{task.name} started", task.name, task.started)
    times = dict(_times(exercise, cluster))
    figures = tuple(
        Figure(f"{name} from start to full view", seconds, "s") for name, seconds in sorted(times.items())
    )
    if times:
        exercise.startup = max(times.values())
        first = min(task.started for task in cluster.tasks)
        last = max(task.started + times[task.name] for task in cluster.tasks if task.name in times)
        figures += (Figure("first start to full view", last - first, "s"),)
    evidence = tuple(f"{view.task}: {view.line}" for _, view in cluster.last if view is not None)
    complaints = [text for task in cluster.tasks for text in exercise.book.complaints(task)]
    yield step.judged(
        "view", "" if cluster.whole else cluster.text, figures=figures if cluster.whole else (),
        evidence=evidence + (() if cluster.whole else tuple(dict.fromkeys(complaints[-5:]))),
        causes=_causes(exercise, cluster, complaints))
    yield from _metrics(step, exercise, cluster)


def _causes(exercise: Exercise, cluster: Cluster, complaints: list[str]) -> tuple:
    if cluster.whole:
        return ()
    found = causes.apart(exercise.topology, complaints) if not cluster.one_view else ()
    return (
        found
        if found and len(cluster.ready) == cluster.wanted
        else found + causes.unserved(exercise.topology)
    )


def _times(exercise: Exercise, cluster: Cluster) -> Iterator[tuple[str, float]]:
    """(task, seconds from its start to the first view of as many members as there are now)."""
    for task in cluster.tasks:
        full = next((view for view in exercise.book.views(task) if view.size >= len(cluster.tasks)), None)
        if full is not None:
            yield task.name, full.time - task.started


def _metrics(step: Step, exercise: Exercise, cluster: Cluster) -> Iterator[Promise]:
    sizes: dict[str, int] = {}
    for task in cluster.tasks:
        text = exercise.metrics(task.name)
        size = views.cluster_size(text) if text else None
        if size is not None:
            sizes[task.name] = size
    if not sizes:
        yield step.not_run(
            "metrics", "no task's metrics name the size of the cluster, or they can't be asked for"
        )
        return
    wrong = {name: size for name, size in sizes.items() if size != cluster.wanted}
    missing = [task.name for task in cluster.tasks if task.name not in sizes]
    broken = ", ".join([*(f"{name} counts {size}" for name, size in wrong.items()),
                        *(f"{name} doesn't answer" for name in missing)])
    yield step.judged("metrics", f"{broken} of {cluster.wanted}" if broken else "",
                      evidence=tuple(f"{name}: vendor_cluster_size {size}" for name, size in sizes.items()),
                      causes=causes.apart(exercise.topology) if not cluster.one_view else ())


STEP = Step(
    name="discovery",
    title="Discovery",
    does="Looks at logs and metrics; changes nothing.",
    hurts=False,
    promises={
        "view": "Every task sees every other in its view of the cluster",
        "metrics": "Every task's metrics count every task",
    },
    run=_run,
    estimate=lambda exercise: 10.0,
    realm=False,
)
