from .shared import DEFAULT_CHECKPOINT as DEFAULT_CHECKPOINT, Handler as Handler, Parser as Parser
from .table import COMMANDS as COMMANDS
