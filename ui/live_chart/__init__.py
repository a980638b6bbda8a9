"""A Plotly chart that keeps its zoom while its data changes."""
