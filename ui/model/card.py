"""The card of a checkpoint: what it is, how it was made, its settings with their meaning, and its own README."""

import re
from dataclasses import MISSING, fields
from typing import Any

import pandas as pd
import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.data import has_indices
from svge_core.evaluation import drawn_words
from svge_core.files import field_docs
from svge_core.models import ModelConfig
from svge_core.training import TrainConfig
from ui.model.state import shown_path
from ui.shared.hiding import without_paths
from ui.shared.theme import plain
from ui.shared.widgets import halves, show_missing


def settings_table(config: type, values: dict[str, Any]) -> pd.DataFrame:
    """One row per field: value, default, meaning. Values the config does not know are kept, without a meaning."""
    docs = field_docs(config)
    defaults = {item.name: item.default for item in fields(config) if item.default is not MISSING}
    return pd.DataFrame(
        {
            "Field": list(values),
            "Value": [str(value) for value in values.values()],
            "Default": [str(defaults.get(name, "")) for name in values],
            "Meaning": [docs.get(name, "") for name in values],
        }
    )


def parameter_count(checkpoint: Checkpoint) -> int:
    """Learned numbers of the model."""
    return sum(parameter.numel() for parameter in checkpoint.model.parameters())


def held_out_words(checkpoint: Checkpoint) -> str:
    """How many cells were never trained on; a share where they cannot be counted."""
    meta = checkpoint.meta
    if checkpoint.model.space.enumerated:
        return f"{meta.held_out_count:,}"
    return f"{meta.training.get('held_out', 0):.0%} of the space"


def facts(checkpoint: Checkpoint) -> dict[str, str]:
    """What the card lists first."""
    meta, space = checkpoint.meta, checkpoint.model.space
    if space.enumerated:
        cells = f"{meta.data_count:,} of {space.size:,}, digest {meta.data_digest}"
        held_out = f"{meta.held_out_count:,} cells, never trained on"
    else:
        cells = f"{meta.data_count:,} {drawn_words(space)}, digest of the first epoch {meta.data_digest}"
        held_out = f"{held_out_words(checkpoint)}, chosen by a hash of the {'index' if has_indices(space) else 'key'}"
    known = {
        "Search space": space.title,
        "Folder": shown_path(checkpoint.folder),
        "Weights": f"{parameter_count(checkpoint):,} parameters, digest {checkpoint.digest}",
        "Training cells": cells,
        "Held out": held_out,
        "Seed": str(meta.training.get("seed", "not recorded")),
    }
    if meta.history and "cpu_seconds" in meta.history[-1]:
        known["Training time"] = f"{meta.total_cpu_seconds:,.0f} CPU seconds, {meta.total_epochs} epochs"
    environment = ", ".join(f"{name} {value}" for name, value in meta.environment.items() if name != "parameters")
    return {**known, "Environment": environment or "not recorded"}


def lower_headings(text: str, by: int = 3) -> str:
    """Markdown whose headings stay below those of the page; comments in code blocks are no headings."""
    lines, code = [], False
    for line in text.splitlines():
        code ^= line.lstrip().startswith(("```", "~~~"))
        is_heading = not code and re.match(r"#{1,6} ", line)
        lines.append("#" * min(by, 6 - len(line.split(" ")[0])) + line if is_heading else line)
    return "\n".join(lines)


def show_card(checkpoint: Checkpoint) -> None:
    """The whole card."""
    meta = checkpoint.meta
    left, right = halves("card")
    with left:
        st.subheader("What it is")
        with st.container(key="model_facts"):
            # a table shows Markdown, and a space's title or a file's name is anybody's text
            shown = {name: plain(value) for name, value in facts(checkpoint).items()}
            st.table(pd.Series(shown, name="Value"), hide_header=True, border="horizontal")
        st.markdown("Made with")
        st.code(without_paths(meta.command) or "not recorded", language="bash", wrap_lines=True)
    with right:
        st.subheader("Model card")
        readme = checkpoint.folder / "README.md"
        if readme.is_file():
            text = readme.read_text("utf-8", errors="replace")
            with st.container(border=True, height=460 if len(text) > 1200 else "content", key="model_readme"):
                st.markdown(lower_headings(text))
        else:
            st.info(f"There is no README.md in {shown_path(checkpoint.folder)}. Write down there what it is good for.")
    for title, config, values in (
        ("Model settings", ModelConfig, meta.config.to_dict()),
        ("Training settings", TrainConfig, meta.training),
    ):
        st.subheader(title)
        if values:
            with st.container(key=f"model_settings_{config.__name__}"):
                st.table(settings_table(config, values), hide_index=True, border="horizontal")
        else:
            show_missing("The checkpoint records no settings here.", "python -m svge_core train --help")
