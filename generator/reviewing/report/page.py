"""Reviews as one HTML page: a summary first, then each environment with its picture, what it means and every
change. Nothing is fetched, nothing is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from generator import web
from generator.reviewing.changes import Change
from generator.reviewing.diagram import draw, svg
from generator.reviewing.effects import Effect
from generator.reviewing.facts import CREATE, IN_PLACE, INTERRUPTION, NONE
from generator.reviewing.meaning.base import DANGER, WARNING
from generator.reviewing.report.words import causes, compared, grouped, summary
from generator.reviewing.review import Review
from generator.showing.escaping import cut, plain

_LONG = 3000
"""Characters of one value; nobody reads more in a table."""
_CALM = (IN_PLACE, INTERRUPTION, CREATE, NONE)
_WEIGHTS = {DANGER: "danger", WARNING: "warning", "note": "note"}
_STACK_FILES = ("stack.json", "tags.json", "parameters.json")

_STYLE = """
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 15px/1.55 system-ui, sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 74rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 .8rem; } h2 { font-size: 1.3rem; margin: 0; }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem; } h4 { font-size: .95rem; margin: 0; }
p { margin: .25rem 0; } .dim { color: var(--dim); } a { color: var(--calm); }
:focus-visible { outline: 2px solid var(--calm); outline-offset: 2px; }
section { margin-top: 2.4rem; padding-top: 1.4rem; border-top: 1px solid var(--edge); }
code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; position: relative; }
caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden;
  white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0;
  border-bottom: 1px solid var(--edge); }
thead th { font-size: .85rem; color: var(--dim); font-weight: 600; }
tbody th { font-weight: 600; }
.changes table { table-layout: fixed; } .changes th:first-child { width: 30%; }
.changes tbody th { font-weight: 400; }
.tag { font-weight: 600; white-space: nowrap; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
.box { border: 1px solid var(--edge); border-left: 4px solid var(--line); border-radius: 4px;
  padding: .6rem .9rem; margin: .9rem 0; }
.box.stop { border-left-color: var(--bad); } .box.leave { border-left-color: var(--warn); }
.box h3 { margin: 0 0 .3rem; } .box ul { margin: 0; padding-left: 1.1rem; } .box li { margin: .35rem 0; }
ul.meaning { list-style: none; padding: 0; margin: .3rem 0; }
ul.meaning li { display: grid; grid-template-columns: 5.2rem 1fr; padding: .35rem 0;
  border-bottom: 1px solid var(--edge); }
ul.meaning p { grid-column: 2; }
details { border: 1px solid var(--edge); border-radius: 4px; margin: .6rem 0; }
summary { cursor: pointer; padding: .5rem .9rem; font-weight: 600; } details > div { padding: 0 .9rem .7rem; }
.resource { padding: .8rem 0 .4rem; } .resource + .resource { border-top: 1px solid var(--edge); }
figure { margin: 1rem 0; }
.scroll { overflow-x: auto; border: 1px solid var(--edge); border-radius: 4px; padding: .4rem; }
.scroll svg { display: block; margin: 0 auto; max-width: none; }
figcaption { color: var(--dim); font-size: .88rem; margin-top: .35rem; }
@media (max-width: 46rem) {
  .stack thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .stack table, .stack tbody, .stack tr, .stack th, .stack td { display: block; width: auto; border: 0; }
  .stack th:first-child { width: auto; }
  .stack tr { border-bottom: 1px solid var(--edge); padding: .35rem 0; }
  .stack th, .stack td { padding: .1rem 0; }
  .stack td::before { content: attr(data-label) ": "; color: var(--dim); font-size: .85rem; }
  ul.meaning li { display: block; } ul.meaning .tag { margin-right: .6rem; }
}
@media print {
  main { max-width: none; padding: 0; } a { color: inherit; }
  .scroll { overflow: visible; border: 0; }
  .scroll svg { width: auto; height: auto; max-width: 100%; max-height: 24cm; }
  details::details-content { content-visibility: visible; height: auto; }
  tr, .box, .resource > p, svg { break-inside: avoid; } summary, h2, h3, h4 { break-after: avoid; }
}
"""


def page(reviews: Sequence[Review]) -> str:
    """A whole HTML document."""
    from markupsafe import Markup

    title = "What this change does"
    if len(reviews) == 1 and not reviews[0].judged:
        title = "What is otherwise"
    figures = [(one, draw(one)) for one in reviews]
    return _template().render(
        head=Markup(web.head(title, web.COLOURS + _STYLE + svg.STYLE)),
        title=title,
        reviews=[
            _review(one, number, drawn and Markup(svg.text(drawn, f"picture{number}")), drawn)
            for number, (one, drawn) in enumerate(figures)
        ],
    )


@lru_cache(maxsize=None)
def _template() -> Any:
    import jinja2
    from markupsafe import Markup

    def safe(value: Any) -> Any:
        # Jinja escapes what is markup; this writes out what deceives the eye or steers a terminal.
        return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=safe,
    )
    return environment.get_template("page.html.j2")


def _review(review: Review, number: int, picture: Any, drawn: Any) -> dict[str, Any]:
    losing = [one.logical_id for one in review.effects if one.loses]
    others = [path for path in review.files if path not in _STACK_FILES]
    beside = [("stack settings", review.stack)] if review.stack else []
    beside += [(one.logical_id, one.changes) for one in review.changes.sections]
    both = review.before is not None and review.after is not None
    return {
        "id": f"environment{number}",
        "name": review.name,
        "judged": review.judged,
        "summary": summary(review),
        "compared": compared(review),
        "losing": losing,
        "refused": review.refused,
        "allowed": [one for one in review.hazards if one.allowed_by is not None],
        "spare": [
            (one, f"expired on {one.expires}" if word == "expired" else "allows nothing that happens here")
            for word, one in review.allowances
        ],
        "picture": picture or "",
        "seen": drawn.summary if drawn else "",
        "topics": [
            (topic, [(_WEIGHTS[one.weight], one) for one in review.consequences if one.topic == topic])
            for topic in dict.fromkeys(one.topic for one in review.consequences)
        ],
        "grouped": [
            {
                "heading": name,
                "open": any(one.effect not in _CALM for one in several),
                "resources": [_resource(one) for one in several],
            }
            for name, several in grouped(review).items()
        ],
        "differing": []
        if review.judged
        else [
            {
                "id": one.logical_id,
                "type": one.type,
                "line": one.line,
                "where": _where(review, one.kind),
                "changes": [_change(each, {}) for each in one.changes],
            }
            for one in review.changes.resources
        ],
        "beside": [(name, [_change(each, {}) for each in changes]) for name, changes in beside],
        "others": others if both else [],
    }


def _where(review: Review, kind: str) -> str:
    side = {"added": review.after, "removed": review.before}.get(kind)
    return f"only in {side.name}" if side is not None else ""


def _resource(effect: Effect) -> dict[str, Any]:
    told = {id(one.change): one for one in effect.causes if one.change is not None}
    return {
        "id": effect.logical_id,
        "type": effect.type,
        "line": effect.line,
        "holds": effect.holds if effect.effect not in (IN_PLACE, NONE) else "",
        "loses": effect.loses,
        "said": [*filter(None, (effect.fate, *effect.notes))],
        "causes": [(name, say) for name, say in causes(effect) if name or say][:3],
        "changes": [_change(each, told) for each in (effect.change.changes if effect.change else ())],
    }


def _change(change: Change, told: dict[int, Any]) -> dict[str, Any]:
    cause = told.get(id(change))
    why = ""
    if cause is not None and (cause.effect not in (IN_PLACE, NONE) or cause.say):
        say = cause.say or "fixed when the resource is made"
        why = say if cause.effect == IN_PLACE else f"{cause.effect}: {say}"
    return {
        "name": change.name,
        "before": None if change.before is None else cut(change.before, _LONG),
        "after": None if change.after is None else cut(change.after, _LONG),
        "why": why,
    }
