"""Training curves and the trade-off that the weight of the KL term sets."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from svge_core.drawing import ThemeName
from svge_core.errors import DataError
from svge_core.figures.style import DASHES, SERIES, finish, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects

X_TITLES = {"epoch": "Epoch", "cpu_seconds": "CPU seconds of training"}
#: columns of the trade-off benchmark that are drawn: title, and the denominator or the column that holds it
TRADEOFF_SHARES: dict[str, tuple[str, str | int]] = {
    "reconstruction_mean": ("Reconstructed, from the mean", "reconstruction_of"),
    "reconstruction_posterior": ("Reconstructed, from posterior draws", "reconstruction_posterior_of"),
    "valid_raw": ("Valid prior samples", "valid_of"),
    "valid_unique_1000": ("Valid and unique, 1,000 samples", 1_000),
    "valid_unique_10000": ("Valid and unique, 10,000 samples", 10_000),
}
TERMS = {"loss": "Objective", "types": "Node types", "edges": "Edges", "function": "Function (squared error)"}


@dataclass(frozen=True)
class TrainingCurves:
    """The history of a run, as drawn.

    Attributes:
        x: position of every row on the horizontal axis, ascending.
        x_axis: the column ``x`` is, a key of ``X_TITLES``.
        terms: the objective, its two likelihood terms in nats per cell, and the error of the function part, by title;
            terms without a value above 0 are left out.
        kl: KL divergence, nats per cell, unweighted.
        learning_rate: at the last step of every epoch.
    """

    x: tuple[float, ...]
    x_axis: str
    terms: dict[str, tuple[float, ...]]
    kl: tuple[float, ...]
    learning_rate: tuple[float, ...]


def training_curves(history: Sequence[Mapping[str, Any]], x_axis: str = "epoch") -> TrainingCurves:
    """The numbers of the curves.

    Args:
        history: rows of ``meta.json``, or those a running training has printed; missing values become NaN.
        x_axis: column of the rows that the curves are drawn over.
    """

    def column(name: str) -> tuple[float, ...]:
        return tuple(_number(row.get(name)) for row in history)

    terms = {title: column(name) for name, title in TERMS.items()}
    kept = {title: values for title, values in terms.items() if any(0 < value < math.inf for value in values)}
    return TrainingCurves(column(x_axis), x_axis, kept, column("kl"), column("learning_rate"))


def training_figure(curves: TrainingCurves, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Three charts over one axis: the objective's terms on a logarithmic axis, the KL divergence, the learning rate."""
    from plotly.subplots import make_subplots

    whole = "Objective and its terms per cell" if TERMS["function"] in curves.terms else "Nats per cell"
    titles = (f"{whole} (log axis)", "KL divergence, nats per cell", "Learning rate")
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, row_heights=[0.5, 0.25, 0.25], vertical_spacing=0.09, subplot_titles=titles
    )
    finish(figure, theme, height=620)
    mode = "lines" if len(curves.x) > 1 else "markers"
    colours = SERIES[theme]
    for number, (title, values) in enumerate(curves.terms.items()):
        line = {"color": colours[number], "dash": DASHES[number], "width": 2}
        figure.add_scatter(x=curves.x, y=values, name=title, mode=mode, line=line, row=1, col=1)
    for row, title, values in ((2, "KL divergence", curves.kl), (3, "Learning rate", curves.learning_rate)):
        line = {"color": colours[3], "width": 2}
        figure.add_scatter(x=curves.x, y=values, name=title, mode=mode, line=line, showlegend=False, row=row, col=1)
    figure.update_traces(hovertemplate="%{y:.4g}")
    figure.update_annotations(font_size=13, x=0, xanchor="left")
    figure.update_yaxes(type="log", row=1, col=1, **_log_ticks(curves))
    figure.update_yaxes(rangemode="tozero", row=2, col=1)
    figure.update_yaxes(rangemode="tozero", exponentformat="power", row=3, col=1)
    figure.update_xaxes(title_text=X_TITLES[curves.x_axis], row=3, col=1)
    if curves.x_axis == "epoch" and len(curves.x) <= 12:
        figure.update_xaxes(dtick=1)  # there is no half epoch
    figure.update_layout(hovermode="x unified", legend={"y": 1.0, "x": 1.0, "xanchor": "right", "yanchor": "top"})
    return figure


def accuracy_figure(rows: Sequence[Mapping[str, Any]], theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Accuracies of a network while it is trained, one pair of lines per seed.

    Args:
        rows: one per epoch with ``epoch``, ``train`` and ``validation`` in percent, and ``seed``.
        theme: of the page.
    """
    figure = new_figure(theme, height=230)
    seeds = list(dict.fromkeys(row.get("seed", 0) for row in rows))
    for name, title, number in (("train", "while training", 1), ("validation", "validation", 0)):
        for seed in seeds:
            of_seed = [row for row in rows if row.get("seed", 0) == seed]
            figure.add_scatter(
                x=[row["epoch"] for row in of_seed],
                y=[_number(row.get(name)) for row in of_seed],
                name=title,
                legendgroup=title,
                showlegend=seed == seeds[0],
                mode="lines+markers" if len(of_seed) < 12 else "lines",
                line={"color": SERIES[theme][number], "dash": DASHES[number], "width": 2},
                hovertemplate="%{y:.2f} %" + (f" (seed {seed})" if len(seeds) > 1 else ""),
            )
    figure.update_xaxes(title_text=X_TITLES["epoch"])
    if rows and max(row["epoch"] for row in rows) <= 12:
        figure.update_xaxes(dtick=1)  # there is no half epoch
    figure.update_yaxes(title_text="Accuracy, %")
    figure.update_layout(hovermode="x unified")
    return figure


def _log_ticks(curves: TrainingCurves) -> dict[str, Any]:
    """Powers of ten; over less than two decades also 2 and 5 of each, written out (Plotly's own overprint there)."""
    values = [value for term in curves.terms.values() for value in term if value > 0 and math.isfinite(value)]
    if not values or max(values) / min(values) >= 100:
        return {"dtick": 1, "exponentformat": "power"}
    decades = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    ticks = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


@dataclass(frozen=True)
class Tradeoff:
    """What the weight of the KL term buys and costs.

    Attributes:
        beta: weights, ascending.
        shares: share of hits by title, one value per weight, NaN where not measured.
        denominators: denominator of every share, 0 where it is not recorded.
        kl: KL divergence of the trained model in nats per cell, NaN where not recorded.
    """

    beta: tuple[float, ...]
    shares: dict[str, tuple[float, ...]]
    denominators: dict[str, tuple[int, ...]]
    kl: tuple[float, ...]


def tradeoff(raw: object) -> Tradeoff:
    """Read ``assets/results/tradeoff.json``: an object with ``rows``, or the list of them.

    A row holds ``beta``, optionally ``kl_nats``, and shares: the columns of ``TRADEOFF_SHARES``, or under any name
    ``{"count": 9, "of": 10}``. Other columns are not drawn.

    Raises:
        DataError: if there is no row with a ``beta`` and a share.
    """
    rows = raw.get("rows") if isinstance(raw, Mapping) else raw
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise DataError("The trade-off file holds no rows: expected a list, or an object with a list under 'rows'.")
    usable = [row for row in rows if isinstance(row, Mapping) and math.isfinite(_number(row.get("beta")))]
    usable.sort(key=lambda row: _number(row["beta"]))
    found: dict[str, list[tuple[float, int]]] = {}
    for position, row in enumerate(usable):
        for name, cell in row.items():
            if name in TRADEOFF_SHARES:
                title, of = TRADEOFF_SHARES[name]
                value, denominator = share_of({"value": cell, "of": row.get(of) if isinstance(of, str) else of})
            elif isinstance(cell, Mapping):
                title, (value, denominator) = _title(name), share_of(cell)
            else:
                continue
            if math.isfinite(value):
                found.setdefault(title, [(math.nan, 0)] * len(usable))[position] = (value, denominator)
    if not found:
        raise DataError(
            "The trade-off file has no row with a number 'beta' and a share (a count and what it is out of)."
        )
    return Tradeoff(
        tuple(_number(row["beta"]) for row in usable),
        {title: tuple(value for value, _ in column) for title, column in found.items()},
        {title: tuple(of for _, of in column) for title, column in found.items()},
        tuple(_number(row.get("kl_nats")) for row in usable),
    )


def tradeoff_figure(info: Tradeoff, theme: ThemeName) -> "plotly.graph_objects.Figure":
    """Every share over the weight of the KL term."""
    figure = new_figure(theme, height=380)
    for number, (title, values) in enumerate(info.shares.items()):
        of = [f" of {n:,}" if n else ", denominator not recorded" for n in info.denominators[title]]
        figure.add_scatter(
            x=info.beta,
            y=values,
            name=title,
            customdata=of,
            mode="lines+markers",
            line={"color": SERIES[theme][number % 5], "dash": DASHES[number % 5], "width": 2},
            hovertemplate="%{y:.2%}%{customdata}",
        )
    figure.update_xaxes(title_text="Weight of the KL term (beta, log axis)", type="log")
    if 0 < len(info.beta) <= 12:
        figure.update_xaxes(tickvals=info.beta, ticktext=[f"{beta:g}" for beta in info.beta])
    figure.update_yaxes(title_text="Share", tickformat=".0%")
    figure.update_layout(hovermode="x unified")
    return figure


def share_of(cell: object) -> tuple[float, int]:
    """(value, denominator) of a recorded share; NaN and 0 where they are not there."""
    if not isinstance(cell, Mapping):
        return _number(cell), 0
    value, of = _number(cell.get("value")), _number(cell.get("of"))
    if math.isnan(value) and of > 0:
        value = _number(cell.get("count")) / of
    return value, int(of) if of > 0 else 0


def _title(name: str) -> str:
    return name.replace("_", " ").replace(".", ", ").capitalize()


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
