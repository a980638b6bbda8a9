"""One thread for PyTorch's operators, for a while, also where two threads of the process ask for it."""

import threading
from collections.abc import Iterator

import pytest
import torch

from svge_core.graphpnas.fitting import RefitOptions, refit, refit_many
from svge_core.graphpnas.space_views import Graphs, to_graphs, view_of
from svge_core.spaces.registry import get_space
from svge_core.threads.single import one_thread

SPACE = get_space("nasbench201")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """As on a machine with two cores, and the number of the other tests afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_the_number_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="in between"), one_thread():
        assert torch.get_num_threads() == 1
        raise ValueError("in between")
    assert torch.get_num_threads() == 2


def test_what_is_inside_another_leaves_it_alone() -> None:
    with one_thread():
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_who_asks_while_another_works_leaves_the_usual_number() -> None:
    entered, leave, counts = threading.Event(), threading.Event(), list[int]()

    def first() -> None:
        with one_thread():
            entered.set()
            leave.wait(10.0)
        counts.append(torch.get_num_threads())

    def second() -> None:  # a new thread begins with what was set last: one
        with one_thread():
            leave.set()
            one.join(10.0)
            counts.append(torch.get_num_threads())
        counts.append(torch.get_num_threads())

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert entered.wait(10.0)
    two.start()
    two.join(10.0)
    assert counts == [2, 1, 2]
    assert torch.get_num_threads() == 2


def pool() -> Graphs:
    return to_graphs(SPACE, [SPACE.from_index(index) for index in (0, 1_462, 6_111, 15_624)])


def test_small_fits_take_one_thread() -> None:
    # in a thread of a server seventy epochs of so small steps took 8 seconds with two threads, 0.7 with one
    seen = list[int]()
    options = RefitOptions(epochs=2)
    refit(
        view_of(SPACE),
        pool(),
        torch.ones(4),
        options,
        on_epoch=lambda epoch, loss: seen.append(torch.get_num_threads()),
    )
    assert seen == [1, 1]
    assert torch.get_num_threads() == 2


def test_many_fits_side_by_side_take_all_threads() -> None:
    seen, many = list[int](), 8
    refit_many(
        view_of(SPACE),
        [pool()] * many,
        torch.ones(many, 4),
        RefitOptions(epochs=1),
        range(many),
        on_epoch=lambda epoch, losses: seen.append(torch.get_num_threads()),
    )
    assert seen == [2]
