"""Plays a path or a search in the browser: the marker moves, the drawing changes, the curve grows."""
