"""The Model page under AppTest, and the training runs behind it with real processes."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from msgspec import structs

from svge_core.checkpoints.checkpoint import META, load_checkpoint, save_checkpoint
from svge_core.errors import CheckpointError, SvgeError
from svge_core.jobs.training import TrainingJob, TrainingJobs, TrainingProgress, TrainingRequest
from svge_core.models.config import ModelConfig
from svge_core.search.runs.processes import birth
from svge_core.training.config import TrainConfig
from svge_core.training.state import FILE as STATE_FILE
from tests.support.model_checkpoint import METRICS, make_checkpoint, share
from tests.support.model_page import SECTIONS, open_model_page, words
from tests.support.waiting import until
from ui.model import train as model_train
from ui.model.card import field_docs, lower_headings, settings_table
from ui.model.train import progress_text

#: valid decodings of latents from other densities than the scaled prior
DRAWN_FROM = {"standard": 9_100, "fitted": 8_200, "kernel": 7_300}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of checkpoints, and another for the records of runs."""
    monkeypatch.setenv("SVGE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("SVGE_RUNS", str(tmp_path / "runs"))
    return tmp_path / "checkpoints"


# what is shown


def test_without_a_checkpoint_the_page_says_how_to_make_one(root: Path) -> None:
    at = open_model_page()
    assert "no checkpoint" in at.info[0].value
    assert any("svge_core train" in code.value for code in at.code)
    assert [button.label for button in at.button] == ["Train"]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_with_everything_there(section: str, root: Path) -> None:
    make_checkpoint(root)
    at = open_model_page(section)
    assert at.metric[0].value == "99.23 %"
    assert at.metric[0].delta == "155,000 of 156,200"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens_with_nothing_there(section: str, root: Path) -> None:
    make_checkpoint(root, full=False)
    at = open_model_page(section)
    command = {"Generation": "evaluate", "Latent quality": "quality", "Prediction": "fit"}.get(section)
    if command:
        assert any(f"svge_core {command} --checkpoint" in code.value for code in at.code)


def test_the_card_lists_facts_settings_and_the_readme(root: Path) -> None:
    make_checkpoint(root)
    text = words(open_model_page()).replace("\\", "")  # as a browser shows it, without the escapes
    for part in (
        "0123456789abcdef",
        "14,062 of 15,625",
        "Good for tests.",
        "--epochs 5",
        "KL weight per cell",
        "torch 2.13.0",
    ):
        assert part in text, part


def test_generation_shows_every_result_with_its_denominator(root: Path) -> None:
    make_checkpoint(root)
    text = words(open_model_page("Generation"))
    for part in ("155,000 of 156,200", "1,560 of 1,562", "9,990 of 10,000", "7,000 of 10,000", "n = 1,562"):
        assert part in text, part


def test_the_densities_that_latents_were_drawn_from_are_told_apart(root: Path) -> None:
    checkpoint = make_checkpoint(root)
    (row,) = [row for row in checkpoint.meta.metrics if (row.what, row.mode) == ("valid", "raw")]
    others = [structs.replace(row, how=how, count=count, value=count / 10_000) for how, count in DRAWN_FROM.items()]
    metrics = (*checkpoint.meta.metrics, *others)
    save_checkpoint(checkpoint.folder, checkpoint.model, replace(checkpoint.meta, metrics=metrics))
    at = open_model_page("Generation")
    control = at.get_by_key("model_density")
    assert control.options == ["Scaled prior", "N(0, I), not scaled", "Aggregate posterior", "Kernel density"]
    counts = dict(zip(control.options, (9_990, *DRAWN_FROM.values()), strict=True))
    for name, count in counts.items():
        at.get_by_key("model_density").set_value(name).run()
        tables = " ".join(str(table.value) for table in at.table)
        for other in counts.values():
            assert (f"{other:,} of 10,000" in tables) is (other == count), name
    assert not at.exception


def test_the_ceiling_stands_only_beside_samples_it_can_be_compared_with(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, ceiling in (("1000x1", 0.9687), ("10000x1", 0.7386)):
        row = share(6_917, 10_000, uniform_ceiling=ceiling)
        monkeypatch.setitem(METRICS, f"valid_unique.both.raw.{name}", row)
    make_checkpoint(root)
    at = open_model_page("Generation")
    assert at.get_by_key("model_sample").value == "10,000 latents × 1 decoding"
    assert "73.86 % would be distinct" in words(at)
    text = words(at.get_by_key("model_sample").set_value("1,000 latents × 10 decodings").run())
    assert "would be distinct" not in text and "not independent" in text


def test_prediction_judges_only_cells_it_was_not_fitted_on(root: Path) -> None:
    make_checkpoint(root)
    at = open_model_page("Prediction")
    tau, rmse, inside, labels = at.metric[-4:]
    assert labels.value == "50"
    assert tau.delta == "n = 15,575"
    assert rmse.value in ("0.49 %", "0.50 %", "0.51 %")
    assert at.get_by_key("model_score").options == ["CIFAR-10 validation accuracy"]
    assert float(inside.value.split()[0]) == pytest.approx(90, abs=1)
    (fifths,) = [found.value for found in at.caption if "in each fifth of the cells" in found.value]
    assert "in each fifth of the cells (n = 3,115), from" in fifths  # 15,575 in five equal parts
    shares = [float(share) for share in fifths.split(": ")[1].removesuffix(" %.").split(" / ")]
    assert np.mean(shares) == pytest.approx(float(inside.value.split()[0]), abs=0.2)
    at.get_by_key("model_range").set_value("Best tenth").run()
    assert at.metric[-4].delta == "n = 1,558"
    assert not at.exception


@pytest.mark.parametrize("encoding", ["one-hot", "learned"])
def test_operations_offer_the_tables_there_are(encoding: str, root: Path) -> None:
    make_checkpoint(root, encoding=encoding)
    options = open_model_page("Operations").get_by_key("model_table").options
    assert ("Learned encoding, shared by both" in options) == (encoding == "learned")


def test_charts_have_a_text_for_screen_readers(root: Path) -> None:
    make_checkpoint(root)
    for section in ("Training", "Generation", "Prediction", "Operations"):
        charts = open_model_page(section).get("plotly_chart")
        assert charts
        assert all(chart.proto.alt for chart in charts), section


def test_a_damaged_checkpoint_is_one_line_and_a_form(root: Path) -> None:
    checkpoint = make_checkpoint(root)
    (checkpoint.folder / "weights.safetensors").write_bytes(b"x")
    at = open_model_page()
    assert "damaged" in at.error[0].value
    assert any(button.label == "Train" for button in at.button)


def test_headings_of_a_model_card_stay_below_those_of_the_page() -> None:
    text = "# A\n##### B\n```bash\n# comment\n```\n#tag"
    assert lower_headings(text) == "#### A\n###### B\n```bash\n# comment\n```\n#tag"


def test_every_setting_has_its_meaning() -> None:
    for config in (ModelConfig, TrainConfig):
        assert set(field_docs(config)) == set(config.__dataclass_fields__)
    table = settings_table(ModelConfig, {"hidden": 8, "unheard_of": 1})
    assert str(table["Meaning"].iloc[0]).startswith("Node state width")
    assert list(table.iloc[1]) == ["unheard_of", "1", "", ""]


# training runs


def request(name: str = "small", **model: object) -> TrainingRequest:
    return TrainingRequest(
        "nasbench201", name, ModelConfig(**{"hidden": 4, "latent": 2, **model}), TrainConfig(epochs=1)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "a" * 41, "-x", "."])
def test_a_name_that_is_no_plain_folder_is_refused(name: str) -> None:
    with pytest.raises(SvgeError, match="A name is made of"):
        request(name)


def test_settings_are_checked_before_anything_starts() -> None:
    with pytest.raises(CheckpointError, match="hidden"):
        request(hidden=3)
    with pytest.raises(SvgeError):
        request(beta=-1.0)


def test_the_command_says_every_setting(tmp_path: Path) -> None:
    words = request().command(tmp_path)
    assert words[1:5] == ["-m", "svge_core", "train", "--json"]
    for option in ("--hidden", "--latent", "--beta", "--epochs", "--seed", "--positions"):
        assert option in words


@pytest.fixture
def jobs(tmp_path: Path) -> TrainingJobs:
    return TrainingJobs(tmp_path / "records", tmp_path / "checkpoints")


def launch(jobs: TrainingJobs, code: str) -> TrainingJob:
    """A run whose process is a few lines of Python instead of a training."""
    head = "import json, sys, time\ndef say(**e): print(json.dumps(e), flush=True)\n"
    return jobs._launch(TrainingJob("small", "nasbench201", (sys.executable, "-c", head + code), 4, 0, ""))[0]


def wait_for(jobs: TrainingJobs, job: TrainingJob, *states: str, rows: int = 0) -> TrainingProgress:
    def reached() -> TrainingProgress | None:
        progress = jobs.progress(job)
        return progress if progress.state in states and len(progress.rows) >= rows else None

    found = until(reached, about=lambda: jobs.progress(job))
    assert found is not None
    return found


EPOCHS = "for e in (1, 2): say(event='epoch', epoch=e, loss=1 / e, cpu_seconds=3.0 * e)\n"


def test_progress_is_read_while_it_runs_and_cancel_stops_it(jobs: TrainingJobs) -> None:
    job = launch(jobs, EPOCHS + "print('{half', flush=True)\ntime.sleep(600)")
    progress = wait_for(jobs, job, "running", rows=2)
    assert progress.share == 0.5
    assert progress.cpu_seconds == 6.0
    text = progress_text(job, progress)
    assert "epoch 2 of 4" in text and text.endswith(", 6 CPU seconds so far")
    assert jobs.running() == job
    with pytest.raises(SvgeError, match="is being trained"):
        jobs.start(request("other"))
    jobs.cancel(job)
    assert jobs.running() is None
    (record,) = jobs.all()
    assert jobs.progress(record).state == "cancelled"


def test_another_server_sees_and_cancels_the_same_run(jobs: TrainingJobs) -> None:
    job = launch(jobs, EPOCHS + "time.sleep(600)")
    wait_for(jobs, job, "running", rows=2)
    other = TrainingJobs(jobs.records, jobs.root)
    assert other.running() == job
    other.cancel(job)
    assert wait_for(jobs, other.all()[0], "cancelled").rows[-1]["epoch"] == 2


def test_a_run_that_ignores_the_request_is_ended(jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svge_core.jobs.recorded.STOP_SECONDS", 0.3)
    code = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + EPOCHS + "time.sleep(600)"
    job = launch(jobs, code)
    wait_for(jobs, job, "running", rows=2)
    jobs.cancel(job)
    assert wait_for(jobs, jobs.all()[0], "cancelled")


def test_a_failed_run_shows_its_last_words(jobs: TrainingJobs) -> None:
    job = launch(jobs, EPOCHS + "sys.exit('svge_core: The loss is not finite')")
    progress = wait_for(jobs, job, "failed")
    assert progress.message == "svge_core: The loss is not finite"


def test_a_resumed_run_goes_on_in_the_same_log(jobs: TrainingJobs) -> None:
    job = launch(jobs, EPOCHS + "sys.exit(1)")
    wait_for(jobs, job, "failed")
    again = jobs.resume(job)
    assert len(wait_for(jobs, again, "failed").rows) == 2  # the same two epochs, not four


def test_damaged_records_and_numbers_of_other_processes_are_no_runs(jobs: TrainingJobs) -> None:
    jobs.records.mkdir()
    (jobs.records / "nasbench201.bad.json").write_text("{")
    (jobs.records / "nasbench201.old.json").write_text('{"unknown": 1, "command": []}')
    values = {"name": "x", "space": "nasbench201", "command": [], "epochs": 1, "pid": 1, "born": 5.0}
    (jobs.records / "nasbench201.x.json").write_text(json.dumps(values))
    assert [job.name for job in jobs.all()] == ["x"]
    assert jobs.running() is None  # process 1 is alive, but began at another time


def test_a_record_of_before_names_its_process_by_the_time_in_seconds(jobs: TrainingJobs) -> None:
    me = psutil.Process()
    values = {"name": "x", "space": "nasbench201", "command": ["a"], "epochs": 1, "pid": me.pid, "cancelled": False}
    jobs.records.mkdir()
    (jobs.records / "nasbench201.x.json").write_text(json.dumps({**values, "born": me.create_time() + 0.3}))
    (job,) = jobs.all()
    assert jobs.running() == job == TrainingJob("x", "nasbench201", ("a",), 1, me.pid, birth(me.pid) or "")


def test_a_taken_name_is_refused(jobs: TrainingJobs) -> None:
    folder = jobs.root / "nasbench201" / "small"
    folder.mkdir(parents=True)
    (folder / STATE_FILE).write_text("")
    with pytest.raises(SvgeError, match="unfinished run"):
        jobs.start(request())
    (folder / META).write_text("{}")
    with pytest.raises(SvgeError, match="is a checkpoint 'small' already"):
        jobs.start(request())


def test_discarding_removes_what_an_unfinished_run_saved(jobs: TrainingJobs) -> None:
    job = launch(jobs, "sys.exit(1)")
    wait_for(jobs, job, "failed")
    folder = jobs.folder(job)
    folder.mkdir(parents=True)
    (folder / STATE_FILE).write_text("")
    jobs.forget(job)
    assert not folder.exists()
    assert jobs.all() == []


def test_the_form_trains_a_checkpoint_that_loads(root: Path) -> None:
    at = open_model_page("Train a new one")
    by_label: dict[str, Any] = {item.label: item for item in (*at.text_input, *at.number_input)}
    by_label["Name"].set_value("mine")
    settings = {"Epochs": 1, "Hidden width": 4, "Latent dimensions": 3, "Function dimensions": 1}
    for label, value in settings.items():
        by_label[label].set_value(value)
    next(button for button in at.button if button.label == "Train").click()
    at.run()
    assert not at.exception
    jobs = model_train.training_jobs()
    (job,) = jobs.all()
    progress = wait_for(jobs, job, "done", "failed")
    assert progress.state == "done", progress.message
    assert len(progress.rows) == 1
    config = load_checkpoint(root / "nasbench201" / "mine").meta.config
    assert (config.hidden, config.latent, config.function) == (4, 3, 1)
    at.session_state["model_section"] = "Train a new one"
    at.run()
    assert "mine is trained: 1 epochs" in at.success[0].value


def test_the_page_cancels_resumes_and_discards(root: Path) -> None:
    jobs = model_train.training_jobs()
    job = launch(jobs, EPOCHS + "time.sleep(600)")
    wait_for(jobs, job, "running", rows=2)
    at = open_model_page("Train a new one")
    assert next(button for button in at.button if button.label == "Train").disabled
    at.get_by_key("model_cancel_small").click().run()
    assert "cancelled after 2 of 4 epochs" in at.warning[0].value
    at.get_by_key("model_resume_small").click().run()
    assert jobs.running() is not None
    at.get_by_key("model_cancel_small").click().run()
    at.get_by_key("model_forget_small").click().run()
    assert jobs.all() == []
    assert not at.exception


def test_a_bad_name_is_said_on_the_page(root: Path) -> None:
    at = open_model_page()
    at.text_input[0].set_value("Not this")
    at.button[0].click().run()
    assert "A name is made of small letters" in at.error[0].value


def test_patterns_are_over_measured_cells_only(root: Path) -> None:
    make_checkpoint(root)
    at = open_model_page("Patterns")
    text = words(at)
    assert "n = 15,625 measured cells" in text
    assert "does not vary" in text, "all NAS-Bench-201 cells have one graph"
    assert at.get_by_key("model_pattern_score").options
    at.get_by_key("model_best").set_value("Best 10 %").run()
    assert "Mean of the best 1,562" in words(at)
