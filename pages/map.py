"""Map: every architecture of the space in the model's latent space; click to decode, draw to select."""

from ui.map.view import workspace
from ui.shared import reruns
from ui.shared.sidebar import opened_or_stop
from ui.shared.widgets import hidden_title

reruns.through_app("map")

hidden_title("Map")
workspace(opened_or_stop())
