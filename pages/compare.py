"""Two to four architectures side by side: what differs, every score, edits and distances between them."""

from ui.compare.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop
from ui.shared.widgets import hidden_title

reruns.through_app("compare")

hidden_title("Compare")
workspace(opened_or_stop())
