from .checkpoints import FIT_LABELS as FIT_LABELS, FIT_SEED as FIT_SEED
from .search import NEW_RUN as NEW_RUN
from .shared import DEFAULT_CHECKPOINT as DEFAULT_CHECKPOINT, Handler as Handler, Parser as Parser
from .table import COMMANDS as COMMANDS
