"""Map: every architecture of the space in the model's latent space; click to decode, draw to select."""

from ui.map_view import workspace
from ui.sidebar import opened_or_stop

workspace(opened_or_stop())
