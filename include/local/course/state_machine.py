"""The picture of a task's states, drawn from the transitions that a walk has seen.

The places of the states and the paths of the lines are written here. Which lines there are, and
who caused each, is not: a transition that the walk has not seen is not in the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

Edge = tuple[str, str, str]  # from this state, to this state, by whom

SIZE = (1054, 574)
BOX = (148, 36)
# State: the middle of its box, and a lighter form of its colour in Airflow.
STATES: dict[str, tuple[int, int, str]] = {
    "none": (92, 130, "#eaf4fb"),
    "scheduled": (300, 130, "#efe4d3"),
    "queued": (500, 130, "#e2e5e9"),
    "running": (700, 130, "#d3f5d0"),
    "success": (944, 130, "#b7e0b5"),
    "failed": (944, 222, "#f8bdb7"),
    "upstream_failed": (92, 222, "#fbd9a6"),
    "removed": (92, 284, "#e6e8eb"),
    "up_for_retry": (500, 222, "#fbeaa5"),
    "up_for_reschedule": (500, 284, "#bdf0ea"),
    "deferred": (500, 346, "#dccff7"),
    "awaiting_input": (500, 408, "#fdd2a3"),
    "restarting": (500, 470, "#f3d0f3"),
    "skipped": (500, 532, "#fbd3e4"),
}
SCHEDULER, TASK, TRIGGERER, PERSON = "the scheduler", "the task", "the triggerer", "you"
WHO = {SCHEDULER: "#52606d", TASK: "#2f8132", TRIGGERER: "#7d4fd1", PERSON: "#d9600f"}
# Transition: the path of its line, and a note beside it (x, y, text).
ROUTES: dict[Edge, tuple[str, tuple[int, int, str] | None]] = {
    ("none", "scheduled", SCHEDULER): ("M166 130H224", (171, 122, "may run")),
    ("scheduled", "queued", SCHEDULER): ("M374 130H424", (380, 122, "room")),
    ("queued", "running", TASK): ("M574 130H624", (583, 122, "starts")),
    ("running", "success", TASK): ("M774 124H868", (786, 116, "has returned")),
    ("running", "success", PERSON): ("M774 137H868", (786, 152, "you mark it")),
    ("running", "failed", TASK): ("M752 148V222H868", (764, 214, "no try is left")),
    ("running", "up_for_retry", TASK): ("M662 148V222H576", (580, 215, "fails, has tries")),
    ("running", "up_for_reschedule", TASK): ("M680 148V284H576", (582, 277, "looks: not yet")),
    ("running", "deferred", TASK): ("M698 148V346H576", (582, 339, "hands waiting on")),
    ("running", "awaiting_input", TASK): ("M716 148V408H576", (582, 401, "asks a person")),
    ("running", "restarting", PERSON): ("M734 148V470H576", (582, 463, "cleared while it runs")),
    ("running", "skipped", TASK): ("M744 148V532H576", (582, 525, "has nothing to do")),
    ("up_for_retry", "scheduled", SCHEDULER): ("M426 222H336V150", (344, 215, "delay is over")),
    ("up_for_reschedule", "scheduled", SCHEDULER): ("M426 284H316V150", (344, 277, "time to look")),
    ("deferred", "scheduled", TRIGGERER): ("M426 346H296V150", (344, 339, "event is there")),
    ("awaiting_input", "scheduled", PERSON): ("M426 408H276V150", (344, 401, "answered")),
    ("restarting", "none", SCHEDULER): ("M426 470H-4V130H16", (344, 463, "it has ended")),
    ("none", "skipped", SCHEDULER): ("M166 138H208V532H424", (216, 525, "what it needs: skipped")),
    ("none", "upstream_failed", SCHEDULER): ("M60 148V202", (68, 180, "what it needs failed")),
    ("none", "removed", SCHEDULER): ("M166 145H190V284H168", (84, 318, "the map has shrunk")),
    ("success", "none", PERSON): ("M944 112V70H92V110", (462, 63, "cleared: it runs again")),
    ("queued", "up_for_retry", SCHEDULER): ("M500 148V202", (508, 182, "its process was lost")),
}  # fmt: skip
STYLE = """
      .title{font-size:13px;font-weight:600;fill:#1f2933;text-anchor:middle}
      .note{font-size:11px;fill:#52606d} .head{font-size:14px;font-weight:600;fill:#1f2933}
      .box{stroke:#9aa5b1;stroke-width:1.2} .line{stroke-width:1.6;fill:none}"""


def draw(edges: Iterable[Edge], caption: str) -> str:
    """Draws the picture as SVG; neither the order of `edges` nor repeated edges matter."""
    seen = sorted(set(edges))
    width, height = SIZE
    states = {state for edge in seen for state in edge[:2]}
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-14 0 {width} {height}" '
            'font-family="Segoe UI, Helvetica, Arial, sans-serif" role="img" '
            'aria-label="The states of a task, and what was seen to lead from one to the next">',
            f"  <defs>{''.join(_tip(who) for who in WHO)}<style>{STYLE}\n  </style></defs>",
            f'  <rect x="-14" width="{width}" height="{height}" fill="#fff"/>',
            f'  <text class="head" x="24" y="34">{escape(caption)}</text>',
            *(_line(edge) for edge in seen),
            *(_box(state) for state in STATES if state in states),
            *_legend({who for _, _, who in seen}),
            "</svg>\n",
        )
    )


def _tip(who: str) -> str:
    """The arrowhead in the colour of its cause."""
    return (
        f'<marker id="{_id(who)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{WHO[who]}"/></marker>'
    )


def _id(who: str) -> str:
    return f"tip-{who.rpartition(' ')[2]}"


def _line(edge: Edge) -> str:
    source, target, who = edge
    path, note = ROUTES.get(edge) or (_straight(source, target), None)
    text = (
        f'<text class="note" x="{note[0]}" y="{note[1]}">{escape(note[2])}</text>' if note else ""
    )
    return (
        f'  <g><title>{source} to {target}, by {who}</title><path class="line" '
        f'stroke="{WHO[who]}" marker-end="url(#{_id(who)})" d="{path}"/>{text}</g>'
    )


def _straight(source: str, target: str) -> str:
    """The path of a transition that ROUTES does not have: under the boxes, middle to middle."""
    (x1, y1, _), (x2, y2, _) = STATES[source], STATES[target]
    return f"M{x1} {y1}Q{(x1 + x2) // 2 + 30} {(y1 + y2) // 2 + 30} {x2} {y2}"


def _box(state: str) -> str:
    x, y, colour = STATES[state]
    width, height = BOX
    return (
        f'  <rect class="box" x="{x - width // 2}" y="{y - height // 2}" width="{width}" '
        f'height="{height}" rx="6" fill="{colour}"/>'
        f'<text class="title" x="{x}" y="{y + 5}">{state}</text>'
    )


def _legend(seen: set[str]) -> list[str]:
    lines = ['  <text class="head" x="800" y="410">Who caused it</text>']
    for row, who in enumerate(who for who in WHO if who in seen):
        y = 434 + 24 * row
        lines.append(
            f'  <path class="line" stroke="{WHO[who]}" marker-end="url(#{_id(who)})" '
            f'd="M800 {y}h44"/><text class="note" x="856" y="{y + 4}">{escape(who)}</text>'
        )
    return lines
