"""The template engine: templates and a context become text, and each line of the text knows its origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from generator.errors import CloakformError, TemplateError
from generator.rendering.origins import Origin, concat, line_origins


@dataclass(frozen=True)
class Rendered:
    """What a template gave."""

    text: str
    origins: tuple[Origin, ...]
    """One per line of `text`; lines end at "\\n" and at nothing else."""


class Engine:
    """Renders the templates of one folder, which templates can't leave; making it imports jinja2."""

    def __init__(self, templates: Path):
        from generator.rendering.dialect import Environment

        self.templates = Path(templates).absolute()
        self._environment = Environment(self.templates)

    def render(self, template: str, context: Mapping[str, object], *, name: str = "") -> Rendered:
        """Render the template `template`, named by its path below the folder.

        Values of the context that were tracked (`origins.track`) give their key to the lines they are
        printed on and to the lines of loops they are the items of. `name`, the params environment, appears
        in messages. Raises TemplateError with one Problem, which points at the template line, for whatever
        goes wrong there.
        """
        environment = self._environment
        folder = self.templates.name
        try:
            loaded = environment.get_template(template)
            text = concat(loaded.root_render_func(loaded.new_context(dict(context))))
        except CloakformError:
            raise
        except Exception as error:  # templates call anything, so anything may come
            from generator.rendering.complaints import explain

            raise TemplateError([explain(error, environment, folder, template, name)]) from error
        return Rendered(str(text), line_origins(text, folder))
