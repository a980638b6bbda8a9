"""Draws the charts of the results pages as SVG, with matplotlib: ``python -m tools.docs.drawing``."""

# the docs' requirements may be missing where types are checked
# pyright: reportMissingImports=false

import hashlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from tools.docs.charts import CHARTS, Chart

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("docs/assets/charts")
#: violet of the app first; the others differ in lightness too
COLOURS = ("#5a48c0", "#e08e0b", "#0f8a7e", "#c2416b", "#5b6673", "#7fb3ff", "#8c6d31")
INK, GRID = "#1f2933", "#d9dee5"


def stamp(chart: Chart) -> str:
    """The line in a picture that says which values it shows."""
    return f"<!-- values: {hashlib.sha256(json.dumps(chart, sort_keys=True).encode()).hexdigest()[:16]} -->"


def draw(chart: Chart) -> str:
    """The chart as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    style: dict[Any, Any] = {  # keys are a type of matplotlib's own
        "font.family": "sans-serif",
        "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
        "font.size": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": "svge",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GRID,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "legend.frameon": False,
    }
    with plt.rc_context(style):
        panels = chart["panels"]
        figure = (
            _lines(plt, panels)
            if chart["kind"] == "lines"
            else _bars(plt, panels, chart["kind"] == "dots", chart.get("stacked", False))
        )
        buffer = io.StringIO()
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight", pad_inches=0.1
        )
        plt.close(figure)
    text = re.sub(r"<!DOCTYPE.*?>\n?", "", buffer.getvalue(), flags=re.DOTALL)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return text.replace("</svg>", f"{stamp(chart)}\n</svg>")


def _bars(plt: Any, panels: list[Chart], dots: bool = False, stacked: bool = False) -> Any:
    """Horizontal bars, or dots: panels with the same rows side by side, others one below the other."""
    shared = not stacked and len(panels) > 1 and all(panel["rows"] == panels[0]["rows"] for panel in panels)
    many = [len(panel["rows"]) * (1 if dots else len(panel["series"])) for panel in panels]
    figure, axes = plt.subplots(
        1 if shared else len(panels),
        len(panels) if shared else 1,
        squeeze=False,
        sharey=shared,
        layout="constrained",
        figsize=(8.2, 0.9 + 0.26 * max(many)) if shared else (8.2, sum(0.75 + 0.26 * rows for rows in many)),
    )
    for axis, panel in zip(axes.flat, panels, strict=True):
        height = 0.8 if dots else 0.8 / len(panel["series"])
        shift = 0.0 if dots else (len(panel["series"]) - 1) / 2
        for number, series in enumerate(panel["series"]):
            errors, texts = series["errors"] or [None] * len(series["values"]), series.get("texts")
            name = series["name"] or None
            for row, (value, error) in enumerate(zip(series["values"], errors, strict=True)):
                if value is None:
                    continue
                text = texts[row] if texts else f"{value:,.{series.get('digits', 2)}f}"
                place = row + (0 if dots else number - shift) * height
                colour, whisker = COLOURS[number], {"ecolor": INK, "elinewidth": 0.9, "capsize": 2}
                if dots:
                    axis.errorbar(value, place, xerr=error, fmt="o", color=colour, markersize=6, label=name, **whisker)
                else:
                    alpha = 0.35 if text.startswith(">") else 1
                    axis.barh(
                        place, value, 0.9 * height, color=colour, alpha=alpha, xerr=error, error_kw=whisker, label=name
                    )
                name = None
                at = (value + (error or 0) if dots else max(0, value + (error or 0)), place)
                axis.annotate(text, at, xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
        low, high = axis.get_xlim()
        if dots:
            axis.set_xlim(low, high + 0.3 * (high - low))
        else:
            axis.set_xlim(0, 1.24 * panel.get("most", high / 1.05))
        if "most" in panel:
            axis.set_xticks([share * panel["most"] / 4 for share in range(5)])
        axis.set_yticks(range(len(panel["rows"])), panel["rows"])
        axis.tick_params(length=0)
        axis.set_title(panel["title"])
        axis.set_xlabel(panel.get("x", ""))
        axis.grid(True, axis="both" if dots else "x", color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
        axis.set_ylim(len(panel["rows"]) - 0.4, -0.6)
    handles, names = axes.flat[0].get_legend_handles_labels()
    if len(names) > 1:
        figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


def _lines(plt: Any, panels: list[Chart]) -> Any:
    """Lines with bands of one deviation, panels side by side."""
    figure, axes = plt.subplots(1, len(panels), figsize=(8.2, 3.7), squeeze=False, layout="constrained")
    for axis, panel in zip(axes.flat, panels, strict=True):
        for number, series in enumerate(panel["series"]):
            colour = COLOURS[series.get("colour", number)]
            style, fill = ("--", "white") if series.get("dashed") else ("-", colour)
            axis.plot(
                series["x"],
                series["y"],
                style,
                color=colour,
                label=series["name"],
                marker="o",
                markersize=4,
                linewidth=1.6,
                markerfacecolor=fill,
            )
            if series.get("errors"):
                low, high = (
                    [y + way * e for y, e in zip(series["y"], series["errors"], strict=True)] for way in (-1, 1)
                )
                axis.fill_between(series["x"], low, high, color=colour, alpha=0.18, linewidth=0)
        if panel["log"]:
            axis.set_xscale("log")
            ticks = sorted({x for series in panel["series"] for x in series["x"]})
            kept = [x for place, x in enumerate(ticks) if place == 0 or x > 1.25 * ticks[place - 1]]
            axis.set_xticks(kept, [f"{x:,g}" for x in kept])
            axis.minorticks_off()
        axis.set_xlabel(panel["x"])
        axis.set_ylabel(panel["y"])
        axis.set_title(panel["title"])
        axis.grid(True, color=GRID, linewidth=0.6)
        axis.set_axisbelow(True)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


def main() -> int:
    """Draw every chart whose values have changed."""
    for name, make in CHARTS.items():
        chart, path = make(ROOT), ROOT / FOLDER / f"{name}.svg"
        if not path.exists() or stamp(chart) not in path.read_text("utf-8"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(draw(chart), "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
