"""A cell trained for real from its panel: form, progress, curve, result."""
