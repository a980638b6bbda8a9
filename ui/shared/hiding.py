"""What visitors of a shared server are not shown: where its files lie, and which process of which machine did what."""

from dataclasses import replace
from pathlib import Path

from svge_core.search.runs import RunView
from ui.paths import ROOT, checkpoints_root, runs_folder, shared


def without_paths(text: str) -> str:
    """A text for visitors: folders of this machine by their last name only; for others as it is."""
    if not shared():
        return text
    folders = {checkpoints_root(), checkpoints_root().resolve(), runs_folder(), ROOT, Path.home()}
    for folder in sorted(map(str, folders), key=len, reverse=True):
        if len(folder) > 1:
            text = text.replace(folder, Path(folder).name)
    return text


def why(error: Exception) -> str:
    """What went wrong, on one line: of an error of the system the reason, without the name of the file."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return without_paths(str(error))


def for_visitors(view: RunView) -> RunView:
    """A run as visitors see and export it; for others as it is."""
    if not shared():
        return view
    checkpoint = None if view.config.checkpoint is None else shown_checkpoint(view.config.checkpoint)
    return replace(
        view,
        config=replace(view.config, checkpoint=checkpoint),
        evaluations=tuple(replace(e, worker="", problem=without_paths(e.problem)) for e in view.evaluations),
        problem=without_paths(view.problem),
    )


def shown_checkpoint(path: str) -> str:
    """The folder of a checkpoint as visitors see it: space and name; for others as it is."""
    return "/".join(Path(path).parts[-2:]) if shared() else path
