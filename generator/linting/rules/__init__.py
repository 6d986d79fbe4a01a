'''Rules about Keycloak: one rule, one class, one file, `e9031_ports_between_tasks.py` for E9031.

How to write one:

    """E9031: the cluster's port between the tasks."""

    class PortsBetweenTasks(KeycloakRule):
        """The tasks may not talk to each other at the cluster's port.

        Why that matters and what will happen, in the user's words.

        Bad:

            TaskIn:
              Properties:
                FromPort: 7801

        Good:

            TaskIn:
              Properties:
                FromPort: 7800
        """

        id = "E9031"
        shortdesc = "Tasks reach each other at the cluster's port"
        source_url = "https://www.keycloak.org/server/caching"
        since = (25, 0)      # only if it doesn't hold for all versions; `before` likewise, exclusive

        def judge(self, keycloak):
            ...
            yield Hit.at(place, "what is wrong: what will happen", "write this line")

- The docstring is the page: `--explain`, docs/rules/E9031.md. Its first line says what is wrong; an example
  is an excerpt of `Resources` that a reader understands alone, and a change of
  tests/linting/rules/good_keycloak.yaml to the tests: mappings are merged, lists whose items have a `Name`,
  `Key` or `Field` are merged by it, other lists are replaced, `~` takes away (say so in a comment: `~ # not
  set`). A bad example has to give a finding of the rule, a good one none. There may be several of each, told
  apart by `Bad (on 25):`.
- A check with an error and a warning is two rules with one number: E9031, W9031. Errors are for what can't
  work or leaves a door open; warnings for what will bite later.
- The message names the values and says what will happen to the user: "the second task never joins: ...". No
  full stop at its end. The fix is the line to write.
- A hit stands where the user has to change something: the value that is wrong, else (something is missing)
  the nearest thing that is written. `Hit.at(place, ...)` or `Hit(path, ...)`.
- Silence rather than a wrong word: None of the view means "can't be told", so ask `is False`, `is True`,
  never `not x`. Something missing is only a fault where nothing else may bring it: `options.missing(key)` for
  a stock image, `options.unset(key)` for whatever the image may have, `view.whole` for resources.
- A tag such as `26` of Keycloak's own image settles the major version alone: `version` is None then, `at_least` and
  `settled` answer what holds for all of it, and `release` is what messages call it.
- A rule never raises: ask the view, which takes anything, instead of reading the document. Facts about a
  version are in `generator.keycloak.facts` and the catalog (`keycloak.catalog`, None if the version isn't
  known).
- Rules don't know each other. What the template is like belongs into the view; what only the rules of one
  area ask may stand in a module of theirs that begins with an underscore, `_options.py`.

The view (`generator.linting.view`): `view.keycloaks` with `version`, `catalog`, `options`, `services`,
`targets`, `listeners`, `load_balancers`, `registrations`, `jdbc`, `database`, `execution_role`...;
`view.firewall.may_reach(a, b, port)`; `listener.reached_by(path, groups)`; `view.resolver`, `view.document`.
A `Place` (`generator.resolving`) has `path`, `line`, `value`, `text`, `integer`, `flag`, `reference`,
`resource(type)`, `["Key"]`, and is falsy where nothing is written.
'''

from __future__ import annotations

import importlib
import pkgutil


def load() -> None:
    """Imports every module of this folder, so that `Rule.kinds` has its rules."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
