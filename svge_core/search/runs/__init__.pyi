from .deaths import died_evaluating as died_evaluating
from .dispatch import (
    Elsewhere as Elsewhere,
    OpenElsewhere as OpenElsewhere,
    Outcome as Outcome,
    execute_elsewhere as execute_elsewhere,
)
from .export import race_json as race_json, run_csv as run_csv, run_json as run_json
from .importing import read_race as read_race
from .limits import (
    DEFAULT_STORAGE as DEFAULT_STORAGE,
    MAX_BATCH as MAX_BATCH,
    MAX_BUDGET as MAX_BUDGET,
    MAX_SEED as MAX_SEED,
    PRUNERS as PRUNERS,
)
from .loop import execute as execute
from .manage import (
    control as control,
    create_run as create_run,
    delete_run as delete_run,
    give_table as give_table,
)
from .optuna_study import gene_name as gene_name, optuna_storage as optuna_storage
from .preparing import ObjectiveRecipe as ObjectiveRecipe, default_checkpoint as default_checkpoint
from .processes import birth as birth
from .pruning import EarlyStops as EarlyStops
from .races import (
    MAX_NOTE as MAX_NOTE,
    MAX_TITLE as MAX_TITLE,
    RaceNotes as RaceNotes,
    note_race as note_race,
    race_notes as race_notes,
)
from .reading import list_runs as list_runs, owners_of as owners_of, read_run as read_run
from .tables import (
    full_address as full_address,
    hide_password as hide_password,
    storage_url as storage_url,
    workers as workers,
)
from .types import (
    Evaluation as Evaluation,
    RunState as RunState,
    RunSummary as RunSummary,
    RunView as RunView,
    SearchConfig as SearchConfig,
    UnreadableRun as UnreadableRun,
)
from .user_tables import stored_tables as stored_tables
