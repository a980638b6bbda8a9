"""HW-NAS-Bench (Li et al. 2021): measured and estimated latency and energy of the NAS-Bench-201 cells on six devices.

``HW-NAS-Bench-v1_0.pickle`` holds, per data set, one list per metric over the official indices.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from svge_core.data.importers.messages import one_line, reason_of, shown, unusable
from svge_core.data.importers.nb201_records import CELLS, COST_DATA, SPACE, index_of
from svge_core.data.importers.table import Columns, ImportedTable, OnProgress, silent
from svge_core.data.importers.unpickling import array_of, load_file
from svge_core.data.meaning import Direction, Role, ScoreMeaning
from svge_core.errors import DataError
from svge_core.files import is_dict, is_list

MAX_BYTES = 2 * 2**30
_DEVICES = {
    "edgegpu": "Edge GPU (NVIDIA Jetson TX2)",
    "raspi4": "Raspberry Pi 4",
    "edgetpu": "Edge TPU",
    "pixel3": "Pixel 3",
    "eyeriss": "Eyeriss (estimated by the authors)",
    "fpga": "FPGA (estimated by the authors)",
}
_QUANTITIES: dict[str, tuple[str, str, str, Direction, Role]] = {
    "latency": ("_latency_ms", "Latency", "ms", "min", "time"),
    "energy": ("_energy_mj", "Energy", "mJ", "min", "cost"),
    "arithmetic_intensity": ("_arithmetic_intensity", "Arithmetic intensity", "operations per byte", "max", "other"),
}


def read_hw_nas_bench(path: Path, progress: OnProgress = silent) -> ImportedTable:
    """Read the part of NAS-Bench-201; that of FBNet is left out.

    Raises:
        DataError: if the file is damaged, holds something else, or is not in the official order.
    """
    content = load_file(path, MAX_BYTES)
    part = content.get("nasbench201") if is_dict(content) else None
    if not is_dict(part):
        raise DataError(f"{shown(path)}: expected the tables of 'nasbench201', as in HW-NAS-Bench-v1_0.pickle.")
    columns = Columns(index=np.arange(CELLS))
    source = f"HW-NAS-Bench v1.0 (Li et al. 2021), {shown(path)}"
    for done, (short, (_, data_set)) in enumerate(COST_DATA.items()):
        table = part.get(data_set if short == "imagenet16" else short)
        if not is_dict(table):
            continue
        _check_order(table.get("config"), path, data_set)
        for metric, raw in table.items():
            device, _, quantity = str(metric).partition("_")
            if device not in _DEVICES or quantity not in _QUANTITIES:
                continue  # the configurations
            suffix, title, unit, direction, role = _QUANTITIES[quantity]
            meaning = ScoreMeaning(
                f"hw_{short}_{device}{suffix}",
                f"{title} on {_DEVICES[device]}",
                unit,
                direction,
                data_set,
                "",
                None,
                "one inference of one image, as the authors give it",
                "measured",
                source,
                role=role,
                origin="imported",
                single_run=False,
            )
            columns.add(meaning, _values(raw, path, f"{data_set} {metric}"))
        progress(done + 1, len(COST_DATA))
    if not columns.meanings:
        raise DataError(f"{shown(path)} holds no latency or energy of NAS-Bench-201.")
    title = "HW-NAS-Bench, NAS-Bench-201 part"
    return ImportedTable(SPACE.name, "hw-nas-bench", title, "index", columns.frame(), columns.meanings)


def _values(raw: Any, path: Path, what: str) -> np.ndarray:
    if is_dict(raw):
        if strange := [key for key in raw if type(key) is not int or not 0 <= key < CELLS][:1]:
            raise DataError(f"{shown(path)}: {what} has a value for {one_line(str(strange[0]), 40)!r}, no index.")
        raw = [raw.get(index) for index in range(CELLS)]
    try:
        values = array_of([math.nan if value is None else value for value in raw] if is_list(raw) else raw)
    except DataError as error:
        raise DataError(f"{shown(path)}: {what}: {reason_of(error)}.") from None
    if values.shape != (CELLS,):
        raise DataError(f"{shown(path)}: {what} has the shape {values.shape}; expected {CELLS:,} values.")
    values = values.astype(np.float64)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)  # unsupported cells


def _check_order(config: Any, path: Path, data_set: str) -> None:
    if config is None:
        return
    if not is_dict(config) and not is_list(config):
        kind = type(config).__name__
        raise DataError(f"{shown(path)}: 'config' of {data_set} is of type {kind}; expected a list of architectures.")
    for index, entry in config.items() if is_dict(config) else enumerate(config):
        try:
            named = index_of(entry["arch_str"])
        except Exception as error:
            raise unusable(path, f"entry {one_line(str(index), 20)} of {data_set}", error) from None
        if named != index:
            place = f"entry {one_line(str(index), 20)} of {data_set}"
            raise DataError(f"{shown(path)}: {place} is architecture {named:,}; expected the official order.")
