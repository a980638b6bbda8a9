"""Interpolate: a path between two architectures, every stop decoded, drawn and scored."""

from ui.interpolate.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop

reruns.through_app("interpolate")

workspace(opened_or_stop(by_index=True))
