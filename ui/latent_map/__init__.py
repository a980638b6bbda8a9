"""The map component: WebGL2 in the browser, Plotly where there is none."""
