"""What the fields of a dataclass mean, as its source says it."""

import ast
import inspect
import textwrap
from functools import cache


@cache
def field_docs(config: type) -> dict[str, str]:
    """The docstring under every field of a dataclass that has one.

    Args:
        config: the dataclass; it is read as text, nothing of it is run.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(config))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs: dict[str, str] = {}
    for item, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and isinstance(text, ast.Expr):
            docs[item.target.id] = inspect.cleandoc(str(ast.literal_eval(text.value)))
    return docs
