from .config import SAVE_EVERY_SECONDS as SAVE_EVERY_SECONDS, TrainConfig as TrainConfig
from .drawn import (
    DrawnCells as DrawnCells,
    draw_cells as draw_cells,
    draw_indices as draw_indices,
    first_cells as first_cells,
)
from .run import LOCK_FILE as LOCK_FILE, TrainedRun as TrainedRun, train as train
from .state import FILE as FILE, restore_state as restore_state, save_state as save_state
from .trainer import (
    Trainer as Trainer,
    TrainingStep as TrainingStep,
    TrainRow as TrainRow,
    function_of as function_of,
)
