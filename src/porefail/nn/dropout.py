"""Dropout that also acts on predictions (Gal and Ghahramani 2016)."""

import keras


@keras.saving.register_keras_serializable("porefail")
class MonteCarloDropout(keras.layers.SpatialDropout3D):
    """Leaves out whole channels, others in each call, so that calls of a network are draws."""

    # Without the argument `training`, which a model sets to False when it predicts.
    def call(self, inputs):
        return super().call(inputs, training=True)
