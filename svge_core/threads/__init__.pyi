from .counts import Count as Count, counting as counting, counts as counts
from .once import computed_once as computed_once
