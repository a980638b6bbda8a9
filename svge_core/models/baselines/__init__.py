"""The graph VAEs SVGe was measured against: D-VAE, D-VAE with a GCN encoder, DGMG. Same interface, same training."""
