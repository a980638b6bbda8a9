"""Sessions for the tests of what is kept of them."""

from typing import Any

from svge_core.data.csv.scores import import_csv
from svge_core.explorer.selection import CellFilter
from svge_core.spaces.registry import get_space
from ui.kept.document import Kept, PutAside, SpaceRecord
from ui.shared.choices import Lasso, PathChoice, PlaceFocus, UserColumns

SPACE = get_space("nasbench201")
NAMES = [SPACE.format(SPACE.from_index(index)) for index in range(8)]
SQUARE = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))
CSV = b"index,my score,loss\n3,1e300,0.5\n7,91.5,\n"


def own(text: bytes = CSV, name: str = "mine.csv") -> UserColumns:
    """A person's own scores as the page reads them."""
    read = import_csv(SPACE, text, name=name)
    return UserColumns(name, read.to_scores(SPACE), read.summary(), read.remarks(), not read.rejected)


def aside(*numbers: int) -> tuple[PutAside, ...]:
    """Basket entries of some of the names."""
    return tuple(PutAside(notation=NAMES[number], label=f"*{number}*") for number in numbers)


def session_of(**fields: Any) -> Kept:
    """A session of one space."""
    tables = {"nasbench201": fields.pop("own")} if "own" in fields else {}
    return Kept("nasbench201", {"nasbench201": SpaceRecord(**fields)}, tables)


FULL: dict[str, Any] = {
    "checkpoint": "tiny",
    "plane": "pca",
    "colour": "user_my_score",
    "place": PlaceFocus("pca", 0.1, -1e-17),
    "lasso": Lasso("pca", SQUARE),
    "filter": CellFilter("user_loss", (0.0, 1 / 3), None, ("none",), (), True),
    "path": PathChoice(3, 15_624, "linear", 12, 1 / 7, True, "cifar10_valid"),
    "basket": aside(5, 2),
}
