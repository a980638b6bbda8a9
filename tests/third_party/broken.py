"""A plug-in that fails while it is imported."""

raise ZeroDivisionError("no coin")
