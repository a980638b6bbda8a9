"""Train this cell: what is asked for, how far it is, what came out; the work is a process that outlives the page."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from svge_core.errors import SvgeError
from svge_core.explorer import cell_name, cell_named
from svge_core.figures import accuracy_figure
from svge_core.jobs import CellTrainingJob, CellTrainingJobs, CellTrainingProgress, CellTrainingRequest
from svge_core.network_training import PRESETS, TrainRecipe
from svge_core.spaces import AbstractSearchSpace, get_space
from ui.paths import shared
from ui.shared import reruns, session
from ui.shared.choices import CellFocus
from ui.shared.theme import plain, theme_name
from ui.shared.trained import cell_training_jobs
from ui.shared.widgets import show_chart
from ui.visitors import acts, asking, rules

LINE = "cell-training"
EVERY_SECONDS = 1.0
OWN_IMAGES = "own"
DATA = {"digits": "Digits, 8x8 pixels (built in)", OWN_IMAGES: "Images on this machine"}


def train_section(space: AbstractSearchSpace, notation: str) -> None:
    """The part of the panel that trains the cell in focus.

    Args:
        space: of the cell; it has networks.
        notation: of the cell, canonical.
    """
    if shared():
        with st.expander("Train this cell", icon=":material/model_training:", key="cell-training"):
            st.caption(rules.TRAINING_OFF)
        return
    jobs = cell_training_jobs()
    recorded = jobs.all()
    found, going = jobs.of(space.name, notation, recorded), jobs.going(recorded)
    with st.expander(
        "Train this cell", icon=":material/model_training:", expanded=bool(found), key=f"cell-training-{bool(found)}"
    ):
        if notice := session.said(LINE):
            (st.error if notice.kind == "error" else st.success)(plain(notice.text))
        for job in found:
            if job in going:
                st.fragment(running, run_every=EVERY_SECONDS)(jobs, job)
            else:
                over(jobs, job, busy=bool(going))
        for job in going:
            if job not in found:
                elsewhere(jobs, job)
        if not going:
            words, recipe = training_form("cell-train")
            st.button(
                "Train",
                key="cell-train-start",
                icon=":material/play_arrow:",
                disabled=not words,
                on_click=act_on,
                args=(lambda: acts.train_cell(jobs, CellTrainingRequest(space.name, notation, words, recipe)),),
            )


def training_form(prefix: str) -> tuple[str, TrainRecipe]:
    """Ask for images and recipe.

    Args:
        prefix: of the keys of the fields.

    Returns:
        words for the images, empty while they are not named, and the recipe.
    """
    data, words = "digits", "digits"
    if asking.local_browser():  # what a browser names on this machine's disk
        data = st.selectbox("Images", list(DATA), format_func=DATA.__getitem__, key=f"{prefix}-data")
        if data == OWN_IMAGES:
            words = st.text_input(
                "Folder or file",
                key=f"{prefix}-path",
                placeholder="a folder with one sub-folder per class, or a .npz file",
                help="A folder: one sub-folder of images per class. A file: arrays `images` and `labels`.",
            ).strip()
    name = st.selectbox(
        "Recipe",
        list(PRESETS),
        format_func=lambda key: PRESETS[key].title,
        key=f"{prefix}-recipe",
        help=plain(" ".join(f"{preset.title}: {preset.source}" for preset in PRESETS.values())),
    )
    preset = PRESETS[name].recipe
    with st.container(horizontal=True, gap="small"):
        epochs = st.number_input("Epochs", 1, 10_000, preset.epochs, key=f"{prefix}-epochs-{name}", width=150)
        seeds = st.number_input(
            "Seeds",
            1,
            20,
            1,
            key=f"{prefix}-seeds",
            width=150,
            help="Runs; the score is the mean of their accuracies.",
        )
    recipe = replace(preset, epochs=int(epochs), seeds=int(seeds))
    st.caption(plain(_in_words(recipe, data)))
    return words, recipe


def _in_words(recipe: TrainRecipe, data: str) -> str:
    size = f"{recipe.channels} channels" if recipe.channels else "the benchmark's own size"
    images = "897 images to train on, 450 to validate, 450 to test" if data == "digits" else "your images"
    return f"{recipe.describe()}. Network with {size}; {images}. Chosen by validation; the test is looked at once."


def running(jobs: CellTrainingJobs, job: CellTrainingJob) -> None:
    """A training that is going on: its bar, its curve, and the way to stop it; a fragment that runs again and again."""
    progress = jobs.progress(job)
    if progress.state != "running":
        st.rerun()
    st.progress(progress.share, text=progress_text(progress))
    _chart(job, progress)
    st.button(
        "Cancel",
        key=f"cell-train-cancel-{job.name}",
        icon=":material/stop:",
        on_click=act_on,
        args=(lambda: acts.cancel_cell(jobs, job),),
    )


def progress_text(progress: CellTrainingProgress) -> str:
    """One line on a training that is going on."""
    if progress.waiting:
        return "Waiting for another training"
    if not progress.steps:
        return "Starting …"
    words = [f"step {progress.step:,} of {progress.steps:,}"]
    if progress.rows:
        row = progress.rows[-1]
        seed = f", seed {row['seed']}" if row.get("runs", 1) > 1 else ""
        words = [f"epoch {row['epoch']:,} of {row['epochs']:,}{seed}", f"validation {row['validation']:.2f} %"]
    if progress.seconds_left is not None:
        words.append(f"about {time_in_words(progress.seconds_left)} left at this pace")
    return " · ".join(words).capitalize()


def time_in_words(seconds: float) -> str:
    """A rough time: seconds, minutes or hours."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def over(jobs: CellTrainingJobs, job: CellTrainingJob, *, busy: bool) -> None:
    """A training that has ended: what came out or why nothing did, and what can be done; ``busy`` if another runs."""
    progress = jobs.progress(job)
    with st.container(border=True, key=f"cell-trained-{job.name}"):
        if progress.result is not None:
            found = progress.result
            st.markdown(
                f"**{found.validation:.2f} %** validation · {found.test:.2f} % test · "
                f"{found.parameters:,} parameters · {found.seconds:,.1f} s"
            )
            st.caption(plain(found.meaning.describe()))
        elif progress.state == "cancelled":
            last = f" after {len(progress.rows)} epochs" if progress.rows else ""
            kept = "It can be resumed" if jobs.has_state(job) else "Nothing was saved yet, so it would begin anew"
            st.warning(f"Cancelled{last}. {kept}.", icon=":material/pause:")
        else:
            st.error(
                plain(progress.message.removeprefix("svge: ") or "It was ended from outside, without a word."),
                icon=":material/error:",
            )
        _chart(job, progress)
        with st.container(horizontal=True, gap="small"):
            if progress.result is None:
                st.button(
                    "Resume" if jobs.has_state(job) else "Try again",
                    key=f"cell-train-resume-{job.name}",
                    icon=":material/play_arrow:",
                    disabled=busy,
                    on_click=act_on,
                    args=(lambda: acts.resume_cell(jobs, job),),
                )
            st.button(
                "Remove" if progress.result is not None else "Discard",
                key=f"cell-train-forget-{job.name}",
                type="tertiary",
                help="Weights, curve and score go.",
                on_click=act_on,
                args=(lambda: acts.forget_cell(jobs, job),),
            )


def elsewhere(jobs: CellTrainingJobs, job: CellTrainingJob) -> None:
    """Another cell is being trained: where it is, and the way to stop it."""
    begins = "Another cell waits for its training" if jobs.progress(job).waiting else "Another cell is being trained"
    st.info(f"{begins}: {plain(job.cell[:120])}", icon=":material/hourglass_top:")
    with st.container(horizontal=True, gap="small"):
        space = get_space(job.space)
        if space.name == session.space_name():
            focus = CellFocus(cell_name(space, cell_named(space, job.cell)))
            st.button("Show it", key=f"cell-train-show-{job.name}", on_click=session.set_focus, args=(focus,))
        st.button(
            "Cancel it", key=f"cell-train-stop-{job.name}", on_click=act_on, args=(lambda: acts.cancel_cell(jobs, job),)
        )


def _chart(job: CellTrainingJob, progress: CellTrainingProgress) -> None:
    if not progress.rows:
        return
    last = progress.rows[-1]["validation"]
    alt = f"Accuracy over {len(progress.rows)} epochs, last validation accuracy {last:.2f} percent"
    show_chart(accuracy_figure(progress.rows, theme_name()), key=f"cell-train-chart-{job.name}", alt=alt)


def act_on(act: Callable[[], None]) -> None:
    """A callback: what goes wrong is one line in the panel; what changed shows on the whole page."""
    reruns.refresh_all()
    try:
        act()
    except SvgeError as error:
        session.say(LINE, str(error))
