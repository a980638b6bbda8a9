"""What all charts share: colours of the two themes and the bare layout. Plotly is imported where a figure is made."""

from typing import TYPE_CHECKING

from svge_core.drawing import THEMES, ThemeName, blended

if TYPE_CHECKING:
    import plotly.graph_objects

#: line colours, 3:1 or more on their page and apart for colour-blind readers; dashes tell the lines apart as well
SERIES: dict[ThemeName, tuple[str, ...]] = {
    "light": ("#0b5cad", "#b3541e", "#0a6b4b", "#8a3ab9", "#a12c0b"),
    "dark": ("#6cb6ff", "#ffab70", "#56d4a0", "#d2a8ff", "#ff8f7a"),
}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
#: few -> many, or near -> far; the low end is still visible on its page
SEQUENTIAL: dict[ThemeName, tuple[tuple[float, str], ...]] = {
    "light": ((0.0, "#d3e2f3"), (0.35, "#7fb0e0"), (0.7, "#2167b5"), (1.0, "#082a5e")),
    "dark": ((0.0, "#1d3350"), (0.35, "#2f6cab"), (0.7, "#79b8f2"), (1.0, "#e6f3ff")),
}
FONT = '"Source Sans", "Source Sans Pro", sans-serif'


def new_figure(theme: ThemeName, *, height: int) -> "plotly.graph_objects.Figure":
    """An empty figure in a theme's colours on a transparent page."""
    import plotly.graph_objects as go

    figure = go.Figure()
    finish(figure, theme, height=height)
    return figure


def finish(figure: "plotly.graph_objects.Figure", theme: ThemeName, *, height: int) -> None:
    """Give a figure (with its subplots, if any) a theme's colours; titles and axes stay the caller's."""
    colours = THEMES[theme]
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 13, "color": colours.text},
        colorway=SERIES[theme],
        hoverlabel={"bgcolor": colours.surface, "bordercolor": colours.line, "font": {"color": colours.text}},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
    )
    axis = {
        "gridcolor": colours.faint,
        "gridwidth": 0.5,
        "linecolor": colours.line,
        "tickcolor": colours.line,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": 13}},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)


def on_scale(theme: ThemeName, place: float) -> str:
    """The colour at a place, 0 to 1, of the sequential scale."""
    stops = SEQUENTIAL[theme]
    for (start, low), (end, high) in zip(stops, stops[1:], strict=False):
        if place <= end:
            return blended(high, low, (place - start) / (end - start))
    return stops[-1][1]


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.1)."""
    shares = (part / 255 for part in bytes.fromhex(colour[1:]))
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_on(colour: str) -> str:
    """Black or white, whichever has the higher contrast on a colour; that is always 4.5:1 or more."""
    return "#000000" if luminance(colour) > 0.179 else "#ffffff"
