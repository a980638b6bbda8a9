"""The page of the command line: every command with its options, read from the parsers."""

import argparse
import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from svge_core.__main__ import build_parser
from svge_core.evaluation.extrapolation import ExtrapolationConfig
from svge_core.evaluation.latent import QualityConfig
from svge_core.models import ModelConfig
from svge_core.search.searchers import METHODS
from svge_core.spaces import SPACES
from svge_core.training import TrainConfig

#: options that all commands share, said once on the page
SHARED = ("--help", "--json", "--space-module")
#: where the options of a command are fields of a configuration, the docstrings of the fields say what they are
CONFIGS = {"train": (ModelConfig, TrainConfig), "extrapolate": (ExtrapolationConfig,), "quality": (QualityConfig,)}


def commands() -> str:
    """A table of all commands, and a section for each with its options."""
    found = list(_commands(build_parser()))
    lines = ["| command | does |", "|---|---|"]
    lines += [f"| [`{name}`](#{name}) | {_cell(text)} |" for name, text, _ in found]
    for name, text, parser in found:
        lines += ["", f"## {name}", "", _escaped(text)]
        below = list(_commands(parser))
        lines += _options(parser, {key: doc for config in CONFIGS.get(name, ()) for key, doc in _docs(config).items()})
        for inner, words, part in below:
            lines += ["", f"### {name} {inner}", "", _escaped(words), *_options(part, {})]
    return "\n".join(lines)


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help and parser of the commands below a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for choice in action._choices_actions:
                yield choice.dest, choice.help or "", action.choices[choice.dest]


def _docs(config: type) -> dict[str, str]:
    """The docstring under every field of a configuration."""
    (body,) = ast.parse(inspect.getsource(config)).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(str(ast.literal_eval(text.value)))
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }


def _options(parser: argparse.ArgumentParser, docs: dict[str, str]) -> list[str]:
    """A table of what a command takes; nothing where it takes nothing of its own."""
    rows = []
    formatter = parser._get_formatter()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction) or set(action.option_strings) & {"-h", *SHARED}:
            continue
        words = formatter._expand_help(action) if action.help else ""
        if words.startswith("(default") and action.dest in docs:
            words = f"{docs[action.dest].removesuffix('.')} {words}"
        if action.required and action.option_strings:
            words += " (required)"
        rows.append(f"| {_written(action)} | {_cell(words)} |")
    return ["", "| option | what it is |", "|---|---|", *rows] if rows else []


def _written(action: argparse.Action) -> str:
    """An option as it is typed, in Markdown."""
    name = " / ".join(action.option_strings)
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return f"`{name}`"
    word = action.metavar or (action.dest.upper().replace("-", "_"))
    value = " ".join(word) if isinstance(word, tuple) else str(word)
    if action.choices and action.metavar is None and not _can_be_registered(action.choices):
        value = "\\|".join(map(str, action.choices))
    if action.nargs in ("*", "+"):
        value += " ..."
    if action.nargs in ("*", "?"):
        value = f"[{value}]"
    return f"`{name} {value}`" if name else f"`{value}`"


def _can_be_registered(choices: Iterable[object]) -> bool:
    """Whether these are the names of spaces or of methods: one more must leave the page true."""
    return any(set(known) <= set(choices) for known in (SPACES, METHODS))


def _cell(text: str) -> str:
    """Text for a cell of a table."""
    return _escaped(" ".join(text.split())).replace("|", "\\|")


def _escaped(text: str) -> str:
    """Text in which nothing is taken for HTML or for emphasis, but for what stands in backquotes."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<*_\[\]])", r"\\\1", part) for part in parts)
