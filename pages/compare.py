"""Two to four architectures side by side: what differs, every score, edits and distances between them."""

from ui.compare.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop

reruns.through_app("compare")

workspace(opened_or_stop())
