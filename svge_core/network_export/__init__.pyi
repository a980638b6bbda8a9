from .agreement import (
    TOLERANCE as TOLERANCE,
    largest_difference as largest_difference,
    random_images as random_images,
    relative_difference as relative_difference,
    with_statistics as with_statistics,
)
from .code import code_of as code_of, model_code as model_code
from .files import (
    NETWORK_FORMS as NETWORK_FORMS,
    NETWORK_SUFFIXES as NETWORK_SUFFIXES,
    NetworkFiles as NetworkFiles,
    NetworkForm as NetworkForm,
    count_parameters as count_parameters,
    export_network as export_network,
    import_code as import_code,
    network_files as network_files,
    network_zip as network_zip,
    renamed_weights as renamed_weights,
)
from .latency import (
    ENGINES as ENGINES,
    Engine as Engine,
    Latency as Latency,
    LatencyProtocol as LatencyProtocol,
    latency_meaning as latency_meaning,
    measure_latency as measure_latency,
)
from .latency_estimate import (
    LatencyEstimate as LatencyEstimate,
    fit_latency as fit_latency,
    require_enough_cells as require_enough_cells,
)
from .recipe import RECIPES as RECIPES, train_code as train_code
