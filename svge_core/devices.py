"""The devices of this machine, the one that a name stands for, and random numbers on them."""

import torch

from svge_core.errors import SvgeError


def usable_devices() -> tuple[str, ...]:
    """Devices of this machine, the preferred one first."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(name for name, usable in there.items() if usable)


#: what PyTorch calls the instructions of a processor (x86, then ARM) that multiply bfloat16 numbers
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices in hardware; in software it is slower by orders of magnitude."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return torch.backends.mps.is_macos_or_newer(14, 0)
    there = torch.cpu.get_capabilities()
    return any(there.get(name, False) for name in _BFLOAT16)


def pick_device(name: str) -> torch.device:
    """The device of that name; auto takes cuda, then mps, then the CPU.

    Raises:
        SvgeError: if it is unknown or not there.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # users may give anything
        raise SvgeError(f"A device is named by a text, such as auto, cpu, cuda, cuda:0 or mps; got {name!r:.80}.")
    usable = usable_devices()
    if name == "auto":
        return torch.device(usable[0])
    if name.split(":")[0] not in usable:
        raise SvgeError(f"Device {name!r} is not available: this machine has {', '.join(usable)}.")
    try:
        return torch.device(name)
    except RuntimeError:
        raise SvgeError(f"{name!r} is no device: expected auto, cpu, cuda, cuda:0 or mps.") from None


def seeded_generator(*numbers: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Random numbers for one purpose and moment of a run, the same whenever it comes there.

    Args:
        numbers: that name the moment, such as a seed, a purpose and a step.
        device: on which they are drawn.
    """
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % (2**62)
    return torch.Generator(device=device).manual_seed(seed)
