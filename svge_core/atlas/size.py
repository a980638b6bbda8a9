"""How many cells are charted; read by the command line too, so nothing heavy is imported here."""

#: cells of the chart of a space that is not listed
CHARTED = 20_000
