from .cell_training import (
    CellTrainingJob as CellTrainingJob,
    CellTrainingJobs as CellTrainingJobs,
    CellTrainingProgress as CellTrainingProgress,
    CellTrainingRequest as CellTrainingRequest,
    trained_scores as trained_scores,
)
from .here import LATENCIES as LATENCIES, TRAININGS as TRAININGS, scores_from_here as scores_from_here
from .latencies import (
    MeasuredCell as MeasuredCell,
    MeasuredLatency as MeasuredLatency,
    latency_scores as latency_scores,
    latency_stamp as latency_stamp,
    measure_here as measure_here,
    measured_cells as measured_cells,
)
from .process import locked as locked
from .records import Plan as Plan, SearchJob as SearchJob
from .search import SearchJobs as SearchJobs, cores as cores
from .training import (
    TrainingJob as TrainingJob,
    TrainingJobs as TrainingJobs,
    TrainingProgress as TrainingProgress,
    TrainingRequest as TrainingRequest,
)
