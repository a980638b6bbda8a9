"""Values -> Plotly figures. A chart is an info (frozen, the very numbers drawn, tested) and a figure made from it."""
