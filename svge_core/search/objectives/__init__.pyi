from .candidates import (
    Candidates as Candidates,
    budget_remarks as budget_remarks,
    read_candidates as read_candidates,
)
from .choices import GoalChoice as GoalChoice, goal_choices as goal_choices
from .csv_tables import Start as Start, read_column as read_column, read_start as read_start
from .digits_training import (
    DigitsAccuracy as DigitsAccuracy,
    DigitsTraining as DigitsTraining,
    digits_accuracy as digits_accuracy,
    digits_meaning as digits_meaning,
)
from .goals import (
    COSTLY as COSTLY,
    EvaluationError as EvaluationError,
    Goal as Goal,
    GoOn as GoOn,
    Objective as Objective,
    PrunedError as PrunedError,
    split_csv as split_csv,
    split_word as split_word,
)
from .make import (
    MAX_GOALS as MAX_GOALS,
    best_proposable as best_proposable,
    make_objective as make_objective,
    search_domain as search_domain,
)
from .own_process import EvaluatorDiedError as EvaluatorDiedError, OwnProcess as OwnProcess
from .python_function import AllowPython as AllowPython, CallPython as CallPython, one_line as one_line
from .training import (
    TrainedInProcess as TrainedInProcess,
    largest_stage as largest_stage,
    needs_consent as needs_consent,
)
from .user_table import (
    TableSource as TableSource,
    UserTable as UserTable,
    read_table as read_table,
    shown_word as shown_word,
    split_reference as split_reference,
    table_name as table_name,
)
