from .checkpoint import (
    META as META,
    Checkpoint as Checkpoint,
    CheckpointMeta as CheckpointMeta,
    data_digest as data_digest,
    find_checkpoints as find_checkpoints,
    load_checkpoint as load_checkpoint,
    load_meta as load_meta,
    load_weights as load_weights,
    save_checkpoint as save_checkpoint,
    update_metrics as update_metrics,
)
