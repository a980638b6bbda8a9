"""Which test process runs what, and when: dear fixtures are made once, and browsers do not all run at the end."""

from collections.abc import Iterable

#: folders whose tests share what takes long to make: a cluster, trained checkpoints
TOGETHER = ("tests/cluster/", "tests/third_party/", "tests/cli/")
#: what waits for servers and browsers; two of them at once get in each other's way
WAITING = ("tests/browser/", "tests/visitors/test_forged")


def group_of(nodeid: str) -> str:
    """What stays in one process: a file, or a folder of :data:`TOGETHER`."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def order(nodeids: Iterable[str]) -> list[str]:
    """The groups in the order in which they are begun: many tests first, those that wait spread among the others."""
    sizes: dict[str, int] = {}
    for nodeid in nodeids:
        sizes[group_of(nodeid)] = sizes.get(group_of(nodeid), 0) + 1
    largest_first = sorted(sizes, key=lambda group: (group not in TOGETHER, -sizes[group]))
    waiting = [group for group in largest_first if group.startswith(WAITING)]
    others = [group for group in largest_first if not group.startswith(WAITING)]
    found: list[str] = []
    placed = 0
    for number, group in enumerate(others):
        found.append(group)
        # the last fifth is left for files that are over soon
        while placed < len(waiting) and (number + 1) * len(waiting) >= (placed + 1) * 0.8 * len(others):
            found.append(waiting[placed])
            placed += 1
    return found + waiting[placed:]
