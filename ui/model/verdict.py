"""What the checkpoint is good for in three sentences, above everything else."""

import streamlit as st

from svge_core.checkpoints import Checkpoint
from svge_core.evaluation.verdict import Sentence, verdict_of
from ui.model.state import command, inline_code
from ui.shared.theme import plain


def show_verdict(checkpoint: Checkpoint) -> None:
    """Three sentences, their claims in bold; behind what is missing stands the command that measures it."""
    with st.container(key="model_verdict"):
        st.markdown("\n\n".join(_markdown(sentence, checkpoint) for sentence in verdict_of(checkpoint)))


def _markdown(sentence: Sentence, checkpoint: Checkpoint) -> str:
    """A sentence as Markdown; its numbers may stand beside anybody's title of a score."""
    text = f"**{plain(sentence.claim)}**"
    text += f": {plain(sentence.evidence)}." if sentence.evidence else "."
    if not sentence.command:
        return text
    line = command(sentence.command, checkpoint.meta.space, checkpoint.folder)
    return f"{text} Command: `{inline_code(line)}`."
