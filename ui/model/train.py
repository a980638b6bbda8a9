"""Train a new checkpoint from the page: a small form, live progress, Cancel and Resume."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.drawing import ThemeName
from svge_core.errors import SvgeError
from svge_core.features import FUNCTION_WORDS
from svge_core.figures import training_curves, training_figure
from svge_core.files import field_docs
from svge_core.jobs import TrainingJob, TrainingJobs, TrainingProgress, TrainingRequest
from svge_core.models import ModelConfig
from svge_core.training import TrainConfig
from ui.model.state import command
from ui.paths import ROOT, checkpoints_root, runs_folder, shared
from ui.shared import session
from ui.shared.widgets import show_chart
from ui.visitors import acts, rules

ERROR_KEY = "model_train_error"


@cache
def _jobs(records: str, root: str) -> TrainingJobs:
    return TrainingJobs(Path(records), Path(root), cwd=ROOT)


def training_jobs() -> TrainingJobs:
    """The runs of this installation, shared by all sessions."""
    return _jobs(str(runs_folder() / "training"), str(checkpoints_root()))


def show_training(space: str, theme: ThemeName, shipped: Checkpoint | None = None) -> None:
    """The form, and below it every run with its state; on a shared server words instead."""
    if shared():
        st.info(rules.TRAINING_OFF, icon=":material/lock:")
        return
    jobs = training_jobs()
    running = jobs.running()
    _form(jobs, space, running, shipped)
    if error := st.session_state.pop(ERROR_KEY, None):
        st.error(error)
    for job in jobs.all():
        if job == running:
            # only the run that is going on is read again every second
            st.fragment(_running, run_every=1.0)(jobs, job, theme)
        else:
            _over(jobs, job, theme)


def _form(jobs: TrainingJobs, space: str, running: TrainingJob | None, shipped: Checkpoint | None) -> None:
    model, training = ModelConfig(), TrainConfig()
    docs = {**field_docs(ModelConfig), **field_docs(TrainConfig)}
    with st.form("model_train", border=True):
        st.markdown(f"**New checkpoint of {space}**")
        columns = st.columns(4)
        name = columns[0].text_input(
            "Name", "my-model", max_chars=40, help="Folder of the checkpoint: small letters, digits, - and _"
        )
        encoding = columns[1].selectbox("Operation encoding", ("one-hot", "learned"), help=docs["encoding"])
        epochs = columns[2].number_input("Epochs", 1, 2000, training.epochs, help=docs["epochs"])
        seed = columns[3].number_input("Seed", 0, 2**31 - 1, training.seed, help=docs["seed"])
        columns = st.columns(4)
        beta = columns[0].number_input(
            "KL weight (beta)", 0.0, 10.0, model.beta, step=0.001, format="%.4f", help=docs["beta"]
        )
        latent = columns[1].number_input("Latent dimensions", 1, 256, model.latent, help=docs["latent"])
        hidden = columns[2].number_input("Hidden width", 2, 1024, model.hidden, step=2, help=docs["hidden"])
        function = columns[3].number_input("Function dimensions", 0, 255, model.function, help=docs["function"])
        columns = st.columns([3, 1])
        targets = columns[0].selectbox(
            "Function dimensions follow",
            tuple(FUNCTION_WORDS),
            format_func=FUNCTION_WORDS.__getitem__,
            help=docs["function_targets"],
        )
        with columns[1].container(height="stretch", vertical_alignment="bottom"):
            asked = st.form_submit_button(
                "Train", type="primary", disabled=running is not None, icon=":material/play_arrow:", width="stretch"
            )
        history = shipped.meta.history if shipped else []
        if history and history[-1].get("cpu_seconds"):
            st.caption(
                f"For comparison: the checkpoint in use took {history[-1]['cpu_seconds']:,.0f} CPU seconds for "
                f"{len(history)} epochs. Training uses this machine's processor or GPU until it ends or is cancelled."
            )
    if not asked:
        return
    try:
        request = TrainingRequest(
            space,
            name.strip(),
            ModelConfig(
                hidden=int(hidden),
                latent=int(latent),
                encoding=encoding,
                beta=float(beta),
                function=int(function),
                function_targets=targets,
            ),
            TrainConfig(epochs=int(epochs), seed=int(seed)),
            session.device() or "auto",
        )
        acts.train(jobs, request)
    except SvgeError as error:
        st.session_state[ERROR_KEY] = str(error)
    st.rerun()


def _running(jobs: TrainingJobs, job: TrainingJob, theme: ThemeName) -> None:
    progress = jobs.progress(job)
    if progress.state != "running":
        st.rerun()
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(progress.share, text=progress_text(job, progress))
            st.button(
                "Cancel",
                key=f"model_cancel_{job.name}",
                icon=":material/stop:",
                on_click=_act,
                args=(acts.cancel_training, jobs, job),
            )
        if progress.rows:
            _chart(job, progress, theme)


def progress_text(job: TrainingJob, progress: TrainingProgress) -> str:
    """One line on a run that is going on."""
    if not progress.rows:
        return f"Training {job.name}: starting, no epoch finished yet"
    row, spent = progress.rows[-1], progress.cpu_seconds
    text = (
        f"Training {job.name}: epoch {row['epoch']:,} of {progress.epochs:,}, objective {row['loss']:.4f} nats per cell"
    )
    return text if spent is None else f"{text}, {spent:,.0f} CPU seconds so far"


def _over(jobs: TrainingJobs, job: TrainingJob, theme: ThemeName) -> None:
    progress = jobs.progress(job)
    finished = progress.rows[-1]["epoch"] if progress.rows else 0
    with st.container(border=True):
        if progress.state == "done":
            st.success(
                f"{job.name} is trained: {finished:,} epochs. Choose it as checkpoint to see it here.",
                icon=":material/check:",
            )
            st.markdown("Still to do for the other pages: lay out its map, measure it, fit a predictor.")
            steps = [command(name, job.space, jobs.folder(job)) for name in ("atlas", "evaluate", "fit")]
            st.code("\n".join(steps), language="bash", wrap_lines=True)
        elif progress.state == "cancelled":
            st.warning(
                f"{job.name} was cancelled after {finished:,} of {job.epochs:,} epochs. It can be resumed.",
                icon=":material/pause:",
            )
        else:
            st.error(f"{job.name} stopped after {finished:,} of {job.epochs:,} epochs.", icon=":material/error:")
            st.code(
                progress.message or "It wrote no message: the process was ended from outside.",
                language=None,
                wrap_lines=True,
            )
        with st.container(horizontal=True):
            if progress.state != "done":
                st.button(
                    "Resume",
                    key=f"model_resume_{job.name}",
                    icon=":material/play_arrow:",
                    on_click=_act,
                    args=(acts.resume_training, jobs, job),
                )
            label = "Remove from this list" if progress.state == "done" else "Discard"
            st.button(label, key=f"model_forget_{job.name}", on_click=_act, args=(acts.forget_training, jobs, job))
        if progress.rows:
            with st.expander("Training curves"):
                _chart(job, progress, theme)


def _chart(job: TrainingJob, progress: TrainingProgress, theme: ThemeName) -> None:
    curves = training_curves(progress.rows)
    alt = (
        f"Objective of {job.name} over {len(progress.rows)} epochs, last {progress.rows[-1]['loss']:.4f} nats per cell"
    )
    show_chart(training_figure(curves, theme), key=f"model_run_{job.name}", alt=alt)


def _act(act: Callable[[TrainingJobs, TrainingJob], None], jobs: TrainingJobs, job: TrainingJob) -> None:
    try:
        act(jobs, job)
    except SvgeError as error:
        st.session_state[ERROR_KEY] = str(error)
