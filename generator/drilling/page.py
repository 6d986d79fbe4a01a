"""The report as one HTML page: nothing is fetched, nothing is run, light or dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from generator import web
from generator.drilling import report as texts
from generator.drilling.promises import BROKEN, KEPT, Promise, Report, StepReport
from generator.drilling.timeline import STYLE, clock, picture

_STYLE = """
body { margin: 2rem auto; max-width: 66rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .2rem; }
p { margin: .3rem 0; } .dim { color: var(--dim); } .summary { font-weight: 600; }
ul.promises { list-style: none; padding: 0; } ul.promises > li { border-left: 4px solid var(--edge);
  padding: .1rem .8rem; margin: .5rem 0; }
li.kept { border-color: var(--good) !important; } li.broken { border-color: var(--bad) !important; }
.verdict { display: inline-block; min-width: 4.5rem; font-weight: 600; }
.kept .verdict { color: var(--good); }
.broken .verdict { color: var(--bad); } .not-run .verdict { color: var(--dim); }
.figures { color: var(--dim); } .cause { margin: .2rem 0 .2rem 4.5rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { background: var(--soft); padding: .6rem .8rem;
  overflow-x: auto; border-radius: 4px; margin: .4rem 0; } summary { cursor: pointer; color: var(--dim); }
svg { display: block; width: 100%; height: auto; margin: .8rem 0 .2rem; }
ol.moments { columns: 2; color: var(--dim); font-size: 13px; margin: .2rem 0 .6rem; padding-left: 1.6rem; }
nav a { color: inherit; margin-right: .9rem; white-space: nowrap; } nav .broken { color: var(--bad); }
.legend span { margin-right: 1rem; white-space: nowrap; font-size: 13px; color: var(--dim); }
@media print { pre { white-space: pre-wrap; } }
"""

_LEGEND = (
    "answers: dark the median, light the slowest, on a logarithmic scale",
    "errors: share of requests that failed",
    "tasks: yellow starting, green healthy, grey stopping",
    "violet: a new view and its members",
)


def page(report: Report) -> str:
    """A whole HTML document."""
    title = f"Drill of {report.name}"
    version = f"Keycloak {report.version}" if report.version else "Keycloak of unknown version"
    kind = "a rehearsal" if report.local else "a deployed environment"
    parts = [
        "<!doctype html>",
        f'<html lang="en">{web.head(title, web.COLOURS + _STYLE + STYLE)}<body>',
        f"<h1>{escape(title)}</h1>",
        f'<p class="dim">{escape(f"{version}, {report.file}, {kind}, {texts.moment(report.started)}")}</p>',
        f'<p class="summary">{escape(texts.summary(report))}</p>',
        "<nav>",
        *_navigation(report),
        "</nav>",
        '<p class="legend">',
        *(f"<span>{escape(text)}</span>" for text in _LEGEND),
        "</p>",
    ]
    for step in report.steps:
        parts += _step(report, step)
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _navigation(report: Report) -> Iterator[str]:
    for step in report.steps:
        bad = any(promise.verdict == BROKEN for promise in step.promises)
        yield f'<a href="#{escape(step.name)}"{" class=broken" if bad else ""}>{escape(step.title)}</a>'


def _step(report: Report, step: StepReport) -> Iterator[str]:
    yield f'<h2 id="{escape(step.name)}">{escape(step.title)}</h2>'
    yield f'<p class="dim">{escape(step.does)} {escape(texts.duration(step.ended - step.started))}.</p>'
    shown = [one for one in report.timeline.samples if step.started <= one.time <= step.ended]
    changed = [
        one
        for one in report.timeline.moments
        if step.started <= one.time <= step.ended and one.kind != "note"
    ]
    if shown or changed:
        # From the first of what there is to see: before that the step waited for the one before it.
        first = min([one.time for one in (*shown, *changed)])
        drawn = picture(
            report.timeline, max(step.started, first - 2.0), step.ended, f"{step.title}: timeline"
        )
        yield drawn.svg
        if drawn.moments:
            yield '<ol class="moments">'
            yield from (
                f"<li>{escape(clock(round(at, 1)))}: {escape(text)}</li>" for _, at, text in drawn.moments
            )
            yield "</ol>"
    yield '<ul class="promises">'
    for promise in step.promises:
        yield from _promise(report, promise)
    yield "</ul>"


def _promise(report: Report, promise: Promise) -> Iterator[str]:
    figures = ", ".join(figure.text for figure in promise.figures)
    yield (
        f'<li class="{promise.verdict.replace(" ", "-")}">'
        f'<span class="verdict">{escape(promise.verdict)}</span> '
        f"{escape(promise.text)}" + (f' <span class="figures">({escape(figures)})</span>' if figures else "")
    )
    if promise.reason:
        yield f'<p class="cause">{escape(promise.reason)}</p>'
    for cause in promise.causes:
        fix = f' <span class="dim">{escape(cause.fix)}</span>' if cause.fix else ""
        place = escape(texts.place(report, cause.line))
        yield f'<p class="cause"><code>{place}</code> {escape(cause.text)}.{fix}</p>'
    if promise.evidence:
        opened = "" if promise.verdict == KEPT else " open"
        lines = escape("\n".join(promise.evidence))
        yield f"<details{opened}><summary>evidence</summary><pre>{lines}</pre></details>"
    yield "</li>"
