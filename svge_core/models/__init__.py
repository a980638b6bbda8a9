"""The two-sided graph variational autoencoder SVGe (Lukasik et al. 2021) and its predictor head."""
