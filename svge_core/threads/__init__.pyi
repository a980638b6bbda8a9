from .once import computed_once as computed_once
