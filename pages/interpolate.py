"""Interpolate: a path between two architectures, every stop decoded, drawn and scored."""

from ui.interpolate.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop
from ui.shared.widgets import hidden_title

reruns.through_app("interpolate")

hidden_title("Interpolate")
workspace(opened_or_stop(by_index=True))
