"""The check of a GPU, tried with the CPU in its place: equal devices agree, and every fault of one is found."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn

from bench.harness import results
from svge_core import devices
from svge_core.errors import SvgeError
from svge_core.spaces import get_space
from svge_core.training import TrainConfig, train
from tools.gpu_check import comparing, speed
from tools.gpu_check.__main__ import main

CPU = torch.device("cpu")
SPACE = get_space("nasbench201")
FINE = comparing.Comparison("encode", "svge, nasbench201", "float32", 1e-7, 1e-4)
PRODUCTS = speed.Speed("matrix products", "float32", None, 50.0, 1.0, 2**20, 0.5)


def check(**options: Any) -> dict[str, comparing.Comparison]:
    """All comparisons of one kind of model and one space of networks, in one precision, by what they compare."""
    given = {"models": {"svge": "nasbench201"}, "networks": ["nasbench201"], "precisions": ["float32"], "cells": 10}
    return {row.what: row for row in comparing.compare_all(CPU, **{**given, **options})}


def test_a_device_agrees_with_itself_to_the_last_bit() -> None:
    for precision in ("float64", "float32"):
        rows = check(precisions=[precision])
        assert {row.difference for row in rows.values()} == {0.0} and all(row.agrees for row in rows.values())
        wanted = ["encode", "likelihood", "gradient", "training", "network outputs", "network gradients"]
        assert list(rows) == wanted if precision == "float64" else set(rows) == {*wanted, "decode"}


def faulty(monkeypatch: pytest.MonkeyPatch, harms: Sequence[Callable[[nn.Module], object] | None]) -> list[nn.Module]:
    """Harm the copies of modules, as they are made, in turn; returns those that were made."""
    real, made = comparing.moved, list[nn.Module]()

    def moved(module: nn.Module, device: torch.device, precision: comparing.Precision) -> nn.Module:
        made.append(copy := real(module, device, precision))
        if (harm := harms[(len(made) - 1) % len(harms)]) is not None:
            harm(copy)
        return copy

    monkeypatch.setattr(comparing, "moved", moved)
    return made


def scaled(module: nn.Module) -> None:
    """A weight of every layer is one in a thousand too large."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.view(-1)[0] += 1e-3 * parameter.abs().max()


def test_a_small_fault_of_networks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = faulty(monkeypatch, [scaled, None])  # that on the device, that on the CPU
    rows = check(models={}, precisions=["float64"])
    assert len(made) == 8 and list(rows) == ["network outputs", "network gradients"]
    assert not any(row.agrees for row in rows.values())


def test_a_small_fault_of_models_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # on the device: what is compared, what is trained; the same on the CPU; what decodes on either
    made = faulty(monkeypatch, [scaled, scaled, None, None, lambda model: model.apply(_noise), None])
    rows = check(networks=[])
    assert len(made) == 6
    assert {what for what, row in rows.items() if row.agrees} <= {"training"}, "its tolerance is wider than this fault"
    assert all(row.difference > 0 for row in rows.values())


def _noise(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))


def test_what_is_not_finite_on_one_device_alone_is_a_difference() -> None:
    one, nan = torch.ones(3), torch.tensor([1.0, math.nan, 1.0])
    assert math.isnan(comparing.relative([one], [nan])) and math.isnan(comparing.relative([nan], [one]))
    assert comparing.relative([nan], [nan]) == 0.0, "minus infinity of what cannot be is the same everywhere"
    assert math.isnan(comparing.relative([one], [torch.ones(2)]))
    assert comparing.relative([one * 1.5], [one]) == pytest.approx(0.5)
    assert comparing.relative([one * 1010], [one * 1000]) == pytest.approx(0.01)
    row = comparing.Comparison("encode", "svge", "float32", math.nan, 1.0)
    assert not row.agrees


def test_without_a_gpu_it_says_so_and_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.gpu_check.__main__.pick_device", lambda name: CPU)
    assert main([]) == 0
    assert capsys.readouterr().out == "There is no GPU on this machine, so there is nothing to compare with its CPU.\n"


def test_the_table_and_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bad = comparing.Comparison("gradient", "svge, nasbench201", "float32", 3e-2, 1e-4)
    monkeypatch.setattr("tools.gpu_check.__main__.save_results", lambda *_: pytest.fail("a CPU is no GPU"))
    monkeypatch.setattr("tools.gpu_check.__main__.compare_all", lambda *_, **__: [FINE])
    words = ["--device", "cpu", "--batch", "16", "--side", "32", "--seconds", "0"]
    monkeypatch.setattr(speed, "SIZES", {"shipped size": speed.SIZES["shipped size"]})
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "all 1 comparisons agree" in said
    assert "encode, shipped size" in said and "decode, shipped size" in said and "train, shipped size" in said
    monkeypatch.setattr("tools.gpu_check.__main__.compare_all", lambda *_, **__: [FINE, bad])
    monkeypatch.setattr("tools.gpu_check.__main__.measure_speed", lambda *_, **__: [PRODUCTS])
    assert main(words) == 1
    said = capsys.readouterr().out
    assert "DIFFERS" in said and "1 of 2 comparisons differ" in said


def test_a_gpu_has_its_results_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[Any] = []
    monkeypatch.setattr("tools.gpu_check.__main__.pick_device", lambda name: torch.device("mps"))
    monkeypatch.setattr("tools.gpu_check.__main__.compare_all", lambda *_, **__: [FINE])
    monkeypatch.setattr("tools.gpu_check.__main__.measure_speed", lambda *_, **__: [PRODUCTS])
    monkeypatch.setattr("tools.gpu_check.__main__.save_results", lambda *given: stored.append(given))
    assert main([]) == 0
    assert stored[0][0] == "gpu_check" and stored[0][3] == "python -m tools.gpu_check"
    assert not results.results_path("gpu_check").exists(), "there was no GPU when this was written"


def test_rates_count_the_operations_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "seconds_of", lambda work, device, seconds: 0.5)
    assert speed.product_rate(CPU, torch.float32, 10, 1.0) == pytest.approx(2 * 10**3 / 0.5 / 1e12)
    layer = nn.Linear(20, 30, bias=False)
    found = speed._measured("work", "float32", lambda: layer(torch.ones(7, 20)), CPU, 7, 1e-6, 1.0)
    assert found.cells_per_second == 14
    assert found.tera_flops == pytest.approx(2 * 7 * 20 * 30 / 0.5 / 1e12)
    assert found.of_products == pytest.approx(found.tera_flops / 1e-6)
    assert found.peak_bytes is None and found.memory_share is None


@pytest.mark.parametrize(
    ("instructions", "there"),
    [({"avx2": True}, False), ({"avx2": True, "avx512_bf16": True}, True), ({"neon": True, "bf16": True}, True)],
)
def test_bfloat16_is_refused_where_it_would_be_computed_by_software(
    instructions: dict[str, bool], there: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    assert devices.has_bfloat16(CPU) == there
    if not there:
        with pytest.raises(SvgeError, match="by software on this machine's cpu") as error:
            train(SPACE, tmp_path / "model", config=TrainConfig(precision="bfloat16"), device="cpu")
        assert error.value.settings == ("precision",) and list(tmp_path.iterdir()) == []
