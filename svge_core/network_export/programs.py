"""A network as a program that runs without its code: ``torch.export`` (.pt2) and ONNX, for any number of images.

torch's exporters have written programs that compute something else without a word (pytorch issues 169178 and 166797),
so whoever calls these functions compares what they give.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from svge_core.errors import SvgeError

#: newest operator set that onnxruntime of the last years reads and torch writes without conversion
OPSET = 20
INPUT_NAME, OUTPUT_NAME, BATCH = "images", "logits", "batch"


def torch_program(network: nn.Module, images: Tensor) -> bytes:
    """The content of a ``.pt2`` file, read by ``torch.export.load``.

    Args:
        network: in eval mode; the program is of that mode.
        images: an example (2 or more, colours, height, width); all but the number of images is fixed.
    """
    content = io.BytesIO()
    with _quiet(), torch.no_grad():
        program = torch.export.export(network, (images,), dynamic_shapes=({0: torch.export.Dim(BATCH, min=1)},))
        torch.export.save(program, content)
    return content.getvalue()


def read_torch_program(content: bytes) -> Callable[[Tensor], Tensor]:
    """What a ``.pt2`` file computes."""
    with _quiet():
        return torch.export.load(io.BytesIO(content)).module()


def onnx_program(network: nn.Module, images: Tensor) -> bytes:
    """The content of an ``.onnx`` file with its weights, input ``images`` and output ``logits``.

    Args:
        network: in eval mode.
        images: an example (2 or more, colours, height, width); all but the number of images is fixed.

    Raises:
        SvgeError: if the packages that write ONNX are not installed.
    """
    _require("onnx", "onnxscript")
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            (images,),
            dynamo=True,
            dynamic_shapes=({0: BATCH},),
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    return program.model_proto.SerializeToString()


def read_onnx_program(content: bytes, threads: int = 1) -> Callable[[Tensor], Tensor]:
    """What an ``.onnx`` file computes, by onnxruntime on the CPU.

    Raises:
        SvgeError: if onnxruntime is not installed.
    """
    _require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        (logits,) = session.run([OUTPUT_NAME], {INPUT_NAME: images.numpy()})
        return torch.from_numpy(logits)

    return run


def _require(*packages: str) -> None:
    from importlib.util import find_spec

    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise SvgeError(f"ONNX needs the package {missing[0]}: pip install 'svge-explorer[export]'.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporters' notes to their own developers (missing torchvision, old tree specs)."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
