"""SVGe Explorer's core: search spaces, the two-sided graph VAE, its atlas, predictors and exports. No Streamlit."""

__version__ = "0.1.0"
