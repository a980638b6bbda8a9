"""How far the latent of a checkpoint can be trusted: six measures, each with its denominator and its controls."""
