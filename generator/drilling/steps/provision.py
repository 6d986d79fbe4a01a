"""Can an administrator make the temporary realm?"""

from __future__ import annotations

from collections.abc import Iterator

from generator.drilling import causes
from generator.drilling.admin import AdminUnreachable
from generator.drilling.exercise import Exercise
from generator.drilling.promises import Promise
from generator.drilling.step import Step


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    if not exercise.places.doors:
        yield step.not_run("realm", "the template has no balancer that leads to the tasks")
        return
    try:
        administrator = exercise.administrator
        # The tasks may be starting, and the balancer may just have found the first healthy one.
        exercise.settle()
        administrator.call("GET", "?briefRepresentation=true", patience=exercise.knobs.again)
        left = administrator.leftovers()
        exercise.realm = administrator.make_realm()
    except AdminUnreachable as error:
        reason = str(error)
        if not error.tries:
            yield step.not_run("realm", reason)
            return
        if error.refused:
            reason += (
                ": Keycloak doesn't take the bootstrap administrator's name and password; name another "
                "administrator of the master realm (--credentials FILE)"
            )
        if not error.refused and not exercise.target.local and "admin" not in exercise.places.vantages():
            yield step.not_run("realm", f"{reason}, and this machine isn't in the administrators' network (--from)",
                               evidence=tuple(one.text for one in error.tries))
            return
        yield step.judged("realm", reason, evidence=tuple(one.text for one in error.tries),
                          causes=() if error.refused else causes.locked_out(exercise.topology, error.tries,
                                                                             exercise.places))
        return
    exercise.say(f"made the realm {exercise.realm.name}")
    evidence = [f"realm {exercise.realm.name} at {exercise.places.console.url}/admin/realms"]
    evidence += [f"realm {name} is left from an earlier drill: delete it" for name in left]
    yield step.judged("realm", "", evidence=tuple(evidence))


STEP = Step(
    name="provision",
    title="Administrator",
    does="Makes a realm of its own with a client and users; it is deleted at the end.",
    hurts=False,
    promises={"realm": "The administrator logs in at the public host and reaches the admin REST API"},
    run=_run,
    estimate=lambda exercise: 5.0,
    realm=False,
)
