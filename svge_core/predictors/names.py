"""Predict a cell's score from its structure, with a calibrated interval.

    surrogate = StructureSurrogate.fit(space, labelled_cells, accuracies, seed=0)
    prediction = surrogate.predict(cells)     # mean, std, low, high in the unit of the labels
    save_surrogate(surrogate, path); load_surrogate(path)

A prediction is never a measurement: whoever shows one says so and names the labels it came from.
"""

#: the surrogate's name in prose and in tables
FULL_NAME, SHORT_NAME = "Gaussian process and boosted trees on structure features", "GP + trees"
