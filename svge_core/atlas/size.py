"""How many cells are charted; read by the command line too, so nothing heavy is imported here."""

#: cells of the chart of a space that is not listed, and of one whose cells have no index: their file holds them whole
CHARTED, DRAWN = 20_000, 6_000
