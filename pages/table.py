"""Table: every architecture of the space as a row; sort, filter, find by words, take away."""

from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop
from ui.table.view import workspace

reruns.through_app("table")

workspace(opened_or_stop())
