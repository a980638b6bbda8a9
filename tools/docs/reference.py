"""An extension of griffe, which reads the docstrings: packages export what their ``__init__.pyi`` names.

The packages load their names lazily from that file, so their ``__init__.py`` does not show them.
"""

# the docs' requirements may be missing where types are checked
# pyright: reportMissingImports=false

import ast
from typing import Any

from griffe import Alias, Extension, GriffeLoader, Module


class LazyPackages(Extension):
    """Makes the names of a package's stub public members of it."""

    def on_package(self, *, pkg: Module, loader: GriffeLoader, **kwargs: Any) -> None:
        """See :class:`griffe.Extension`."""
        self._export(pkg)

    def _export(self, module: Module) -> None:
        for inner in list(module.modules.values()):
            if not inner.is_alias:
                self._export(inner)
        stub = module.filepath.with_suffix(".pyi") if not isinstance(module.filepath, list) else None
        if stub is None or not module.is_init_module or not stub.is_file():
            return
        names = []
        for statement in ast.parse(stub.read_text("utf-8")).body:
            if isinstance(statement, ast.ImportFrom):
                base = ".".join(part for part in (module.path, statement.module) if part)
                for alias in statement.names:
                    name = alias.asname or alias.name
                    names.append(name)
                    if name not in module.members or module.members[name].is_alias:
                        module.set_member(name, Alias(name, f"{base}.{alias.name}", parent=module))
        module.exports = list(names)
