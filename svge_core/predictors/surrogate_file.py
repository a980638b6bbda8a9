"""A fitted surrogate as one file: arrays and a JSON text in an ``.npz`` archive, never pickle."""

import io
import json
import zipfile
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import numpy as np

from svge_core.errors import CheckpointError
from svge_core.features import KERNEL_ENTRIES, FeatureScaling, KernelComponents, structure_features
from svge_core.files import write_atomically
from svge_core.predictors.calibration import TargetTransform
from svge_core.predictors.gaussian_process import GaussianProcess, KernelParameters
from svge_core.predictors.surrogate import Encode, LatentGroup, StructureSurrogate
from svge_core.predictors.trees import TreeEnsemble
from svge_core.spaces import SPACES, AbstractSearchSpace

FORMAT = "svge-structure-surrogate"
#: 3 has the cross-validated predictions that the interval depends on; one without them is of version 2
#: 4 has components of the covariance of infinitely wide networks, where the space has such
FORMAT_VERSION = 4
_VERSIONS = (2, 3, FORMAT_VERSION)
_OPTIONAL = ("predicted", "kernel_centre", "kernel_directions")
_ARRAYS = ("mean", "scale", "group", "features", "values", "scores", "log_parameters")
_TREES = ("left", "right", "feature", "threshold", "value")
_STORED = (*_ARRAYS, "latent_mean", "latent_scale", "tree_base", *(f"tree_{name}" for name in _TREES))


def save_surrogate(surrogate: StructureSurrogate, path: Path) -> None:
    """Write one ``.npz`` file (arrays and a JSON text, no pickle); the file appears whole or not at all."""
    meta = {
        "format": FORMAT,
        "version": 2 if surrogate.predicted is None else 3 if surrogate.kernel is None else FORMAT_VERSION,
        "space": surrogate.space.name,
        "features": list(structure_features(surrogate.space, []).names),
        "transform": {name: repr(value) for name, value in asdict(surrogate.transform).items()},  # JSON has no -inf
        "level": surrogate.level,
        "seed": surrogate.seed,
        "trees_share": surrogate.trees_share,
    }
    arrays = {
        "mean": surrogate.scaling.mean,
        "scale": surrogate.scaling.scale,
        "group": surrogate.scaling.group,
        "features": np.concatenate(surrogate.posterior.features, axis=1),
        "values": surrogate.values,
        "scores": surrogate.scores,
        "log_parameters": surrogate.posterior.parameters.to_log(),
        "latent_mean": np.empty(0) if surrogate.latent is None else surrogate.latent.mean,
        "latent_scale": np.empty(0) if surrogate.latent is None else surrogate.latent.scale,
        "tree_base": np.array(surrogate.trees.base),
        **{f"tree_{name}": getattr(surrogate.trees, name) for name in _TREES},
        **({} if surrogate.predicted is None else {"predicted": surrogate.predicted}),
    }
    if surrogate.kernel is not None:  # as they were when it was fitted: another processor may turn near-equal ones
        arrays["kernel_centre"] = surrogate.kernel.centre.astype(np.float32)
        arrays["kernel_directions"] = surrogate.kernel.directions.astype(np.float32)
    content = io.BytesIO()
    # most feature columns hold few distinct values: compressed, the file is 12 to 27 times smaller
    np.savez_compressed(content, allow_pickle=False, meta=np.array(json.dumps(meta)), **arrays)
    write_atomically(Path(path), content.getvalue())


def load_surrogate(path: Path, encode: Encode | None = None) -> StructureSurrogate:
    """Read what :func:`save_surrogate` wrote.

    Args:
        path: the file.
        encode: the model whose latents it was fitted on, where it was.

    Raises:
        CheckpointError: if it was fitted on latents and no model is given; if the file is missing, damaged, of another
            format, version or feature set, or of an unknown space; the message names the field.
    """
    path = Path(path)
    try:
        # numpy leaves a file open that it opened by name and could not read
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            missing = [name for name in ("meta", *_STORED) if name not in archive.files]
            if missing:
                raise CheckpointError(
                    f"{path.name} is no surrogate file: expected the array {missing[0]!r}. Fit it again."
                )
            meta = json.loads(str(archive["meta"]))
            arrays = {name: archive[name] for name in _STORED}
            arrays |= {name: archive[name] for name in _OPTIONAL if name in archive.files}
    except FileNotFoundError:
        raise CheckpointError(f"There is no surrogate file {path.name}. Fit one and save it there.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path.name} cannot be read as a surrogate file ({error}). Fit it again.") from error
    space = _matching_space(path, meta)
    try:
        given = meta["transform"]
        names = [f.name for f in fields(TargetTransform) if f.default is MISSING or f.name in given]
        transform = TargetTransform(**{name: float(given[name]) for name in names})  # float() reads "-inf" too
        level, seed, share = float(meta["level"]), int(meta["seed"]), float(meta.get("trees_share", 0.5))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path.name}: the field {error} is missing or damaged. Fit it again.") from error
    for name in _OPTIONAL:
        since = 3 if name == "predicted" else FORMAT_VERSION
        if (meta["version"] >= since) != (name in arrays):
            raise CheckpointError(
                f"{path.name} has format version {meta['version']}: expected the array {name!r} from version "
                f"{since} on, and only there. Fit it again."
            )
    scaling = FeatureScaling(arrays["mean"], arrays["scale"], arrays["group"])
    _check_shapes(path, arrays, len(meta["features"]))
    latent = _latent_group(path, arrays, encode)
    kept = scaling.group[scaling.scale > 0]
    groups = np.unique(kept)
    kernel = _kernel(space, arrays)
    widths = [int((kept == g).sum()) for g in groups] + ([len(arrays["latent_mean"])] if latent else [])
    widths += [] if kernel is None else [kernel.directions.shape[1]]
    features = np.split(arrays["features"], np.cumsum(widths)[:-1], axis=1)
    parameters = KernelParameters.from_log(arrays["log_parameters"], len(widths))
    posterior = GaussianProcess(parameters, features, transform.forward(arrays["values"]))
    trees = TreeEnsemble(float(arrays["tree_base"]), **{name: arrays[f"tree_{name}"] for name in _TREES})
    return StructureSurrogate(
        space,
        scaling,
        transform,
        posterior,
        trees,
        arrays["values"],
        arrays["scores"],
        level,
        seed,
        latent,
        share,
        arrays.get("predicted"),
        kernel,
    )


def _kernel(space: AbstractSearchSpace, arrays: dict[str, np.ndarray]) -> KernelComponents | None:
    if "kernel_centre" not in arrays:
        return None
    centre, directions = (arrays[name].astype(np.float64) for name in ("kernel_centre", "kernel_directions"))
    return KernelComponents(space, centre, directions)


def _latent_group(path: Path, arrays: dict[str, np.ndarray], encode: Encode | None) -> LatentGroup | None:
    if not arrays["latent_mean"].size:
        return None
    if encode is None:
        raise CheckpointError(f"{path.name} was fitted on a model's latents: it can be read beside that model only.")
    return LatentGroup(encode, arrays["latent_mean"], arrays["latent_scale"])


def _matching_space(path: Path, meta: object) -> AbstractSearchSpace:
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} is no surrogate file: expected the format {FORMAT!r}. Fit it again.")
    if meta.get("version") not in _VERSIONS:
        raise CheckpointError(
            f"{path.name} has format version {meta.get('version')!r}; this program reads "
            f"{' and '.join(map(str, _VERSIONS))}. Fit it again."
        )
    if meta.get("space") not in SPACES:
        raise CheckpointError(
            f"{path.name} belongs to the space {meta.get('space')!r}: expected one of {', '.join(sorted(SPACES))}."
        )
    space = SPACES[meta["space"]]
    expected = list(structure_features(space, []).names)
    if meta.get("features") != expected:
        raise CheckpointError(
            f"{path.name} was made with other structure features of {space.title} (the field 'features' differs from "
            f"this program's {len(expected)} columns). Fit it again."
        )
    return space


def _check_shapes(path: Path, arrays: dict[str, np.ndarray], columns: int) -> None:
    labels = len(arrays["values"]) if arrays["values"].ndim == 1 else -1
    shape_ok = all(arrays[name].shape == (columns,) for name in ("mean", "scale", "group"))
    kept = np.count_nonzero(arrays["scale"] > 0) if shape_ok else -1
    groups = len(np.unique(arrays["group"][arrays["scale"] > 0])) if shape_ok else -1
    dimensions = arrays["latent_mean"].size
    kept, groups = kept + dimensions, groups + (dimensions > 0)
    components = arrays["kernel_directions"].shape[-1] if "kernel_directions" in arrays else 0
    kept, groups = kept + components, groups + (components > 0)
    expected = {
        "mean": (columns,),
        "scale": (columns,),
        "group": (columns,),
        "values": (labels,),
        "scores": (labels,),
        "features": (labels, kept),
        "log_parameters": (4 * groups + 2,),
        "latent_mean": (dimensions,),
        "latent_scale": (dimensions,),
        "tree_base": (),
        **{f"tree_{name}": arrays["tree_left"].shape for name in _TREES},
        **({"predicted": (labels,)} if "predicted" in arrays else {}),
    }
    if components:
        expected |= {"kernel_centre": (KERNEL_ENTRIES,), "kernel_directions": (KERNEL_ENTRIES, components)}
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"{path.name}: the array {name!r} has shape {arrays[name].shape}, expected {shape}. Fit it again."
            )
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path.name}: the array {name!r} holds values that are not finite. Fit it again.")
    _check_trees(path, arrays, int(kept))


def _check_trees(path: Path, arrays: dict[str, np.ndarray], columns: int) -> None:
    """Children come after their parent, so that every walk ends; columns exist."""
    left, right, feature = arrays["tree_left"], arrays["tree_right"], arrays["tree_feature"]
    if left.ndim != 2 or not left.size or not all(np.issubdtype(x.dtype, np.integer) for x in (left, right, feature)):
        raise CheckpointError(f"{path.name}: the trees are no table of whole numbers. Fit it again.")
    own = np.arange(left.shape[1])
    leaf = (left == own) & (right == own)
    inner = (left > own) & (right > own) & (left < left.shape[1]) & (right < left.shape[1])
    if not (leaf | inner).all() or feature.min() < 0 or feature.max() >= columns:
        raise CheckpointError(f"{path.name}: the trees point outside of themselves. Fit it again.")
