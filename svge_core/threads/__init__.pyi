from .interrupts import between_steps as between_steps, interruptible as interruptible
from .once import computed_once as computed_once
from .progress import Count as Count, Tell as Tell, counting as counting, counts as counts
from .single import one_thread as one_thread
