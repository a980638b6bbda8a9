"""Recipes: presets as published, words, and values that cannot be."""

import pytest

from svge_core.errors import SvgeError
from svge_core.network_training import PRESETS, TrainRecipe, read_recipe


def test_presets_are_the_published_ones():
    """Dong and Yang 2020, table 2; Ying et al. 2019, appendix S3 (learning rate 0.1 for each of two shards)."""
    theirs = PRESETS["nasbench201"].recipe
    assert (theirs.optimiser, theirs.learning_rate, theirs.momentum, theirs.nesterov) == ("sgd", 0.1, 0.9, True)
    assert (theirs.weight_decay, theirs.epochs, theirs.batch_size) == (5e-4, 200, 256)
    assert (theirs.flip, theirs.crop_padding, theirs.schedule, theirs.patience) == (True, 4, "cosine", 0)
    theirs = PRESETS["nasbench101"].recipe
    assert (theirs.optimiser, theirs.learning_rate, theirs.momentum, theirs.epsilon) == ("rmsprop", 0.2, 0.9, 1.0)
    assert (theirs.weight_decay, theirs.epochs, theirs.batch_size) == (1e-4, 108, 256)
    assert all(preset.source and preset.title for preset in PRESETS.values())


def test_words_change_a_preset():
    assert read_recipe("nasbench201") == PRESETS["nasbench201"].recipe
    found = read_recipe("nasbench201,epochs=12,nesterov=false,learning_rate=0.05,optimiser=adamw")
    assert (found.epochs, found.nesterov, found.learning_rate, found.optimiser) == (12, False, 0.05, "adamw")
    assert read_recipe("epochs=4,channels=4") == TrainRecipe(epochs=4, channels=4)
    assert TrainRecipe.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cifar", "Unknown recipe 'cifar'"),
        ("digits,epoch=3", "no setting 'epoch'"),
        ("digits,epochs=3.5", "epochs is a whole number"),
        ("epochs=0", "epochs must be at least 1"),
        ("learning_rate=nan", "learning_rate must be positive and finite"),
        ("optimiser=lion", "optimiser must be one of sgd, adam, adamw, rmsprop"),
        ("flip=yes", "flip is true or false"),
        ("batch_size=1", "batch_size must be at least 2"),
        ("nesterov=true", "nesterov needs optimiser sgd"),
        ("label_smoothing=1", "label_smoothing is a share"),
    ],
)
def test_what_cannot_be_is_named(words: str, said: str):
    with pytest.raises(SvgeError, match=said):
        read_recipe(words)


def test_saved_values_are_checked():
    with pytest.raises(SvgeError, match="epochs"):
        TrainRecipe.from_dict({**TrainRecipe().to_dict(), "epochs": "many"})
