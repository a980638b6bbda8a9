from .counts import Count as Count, Tell as Tell, counting as counting, counts as counts
from .once import computed_once as computed_once
