from .agreement import (
    TOLERANCE as TOLERANCE,
    largest_difference as largest_difference,
    random_images as random_images,
    relative_difference as relative_difference,
    with_statistics as with_statistics,
)
from .files import (
    NETWORK_FORMS as NETWORK_FORMS,
    NETWORK_SUFFIXES as NETWORK_SUFFIXES,
    NetworkFiles as NetworkFiles,
    NetworkForm as NetworkForm,
    export_network as export_network,
    import_code as import_code,
    network_files as network_files,
    renamed_weights as renamed_weights,
)
from .recipe import RECIPES as RECIPES, train_code as train_code
