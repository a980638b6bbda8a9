from .digits import (
    TEST as TEST,
    TRAIN as TRAIN,
    VALIDATION as VALIDATION,
    Digits as Digits,
    load_digits as load_digits,
)
from .failures import TrainingCancelledError as TrainingCancelledError, TrainingFailedError as TrainingFailedError
from .image_data import ImageData as ImageData, ImagePart as ImagePart
from .recipe import (
    IMAGE_SIZE as IMAGE_SIZE,
    PRESETS as PRESETS,
    SAVE_SECONDS as SAVE_SECONDS,
    PresetRecipe as PresetRecipe,
    TrainRecipe as TrainRecipe,
    read_recipe as read_recipe,
)
from .result import (
    RESULT as RESULT,
    SeedRun as SeedRun,
    TrainedNetwork as TrainedNetwork,
    read_result as read_result,
    training_meaning as training_meaning,
)
from .run import (
    network_for as network_for,
    train_network as train_network,
    trained_sizes as trained_sizes,
)
from .sources import IMAGE_SUFFIXES as IMAGE_SUFFIXES, image_data_of as image_data_of, open_images as open_images
from .state import STATE as STATE
from .trainer import EpochRow as EpochRow, NetworkStep as NetworkStep
