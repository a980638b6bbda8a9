"""The table of a space: which rows, in which order, and the window that the browser shows."""
