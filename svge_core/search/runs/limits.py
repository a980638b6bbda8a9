"""How large a run may be and where runs are kept; read by the command line too, so nothing heavy is imported here."""

#: of the app and the command line, below the folder they are started in
DEFAULT_STORAGE = "sqlite:///runs/searches.db"
MAX_BUDGET, MAX_BATCH, MAX_SEED = 1_000_000, 256, 2**32 - 1
#: ways to stop trainings of poor cells early, with what is said of each
PRUNERS = {"hyperband": "Hyperband (Li et al. 2018)", "asha": "asynchronous successive halving (Li et al. 2020)"}
