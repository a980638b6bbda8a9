from .cell_training import (
    CellTrainingJob as CellTrainingJob,
    CellTrainingJobs as CellTrainingJobs,
    CellTrainingProgress as CellTrainingProgress,
    CellTrainingRequest as CellTrainingRequest,
    trained_scores as trained_scores,
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
