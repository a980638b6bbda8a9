from .records import SearchJob as SearchJob
from .search import SearchJobs as SearchJobs, cores as cores
from .training import (
    Progress as Progress,
    TrainingJob as TrainingJob,
    TrainingJobs as TrainingJobs,
    TrainingRequest as TrainingRequest,
)
