"""Variational convolution: normal distributions for weights, sampled by Flipout.

Paper, sections 5.2 and 5.3; Wen et al. 2018, arXiv 1803.04386.
"""

import keras
import numpy as np
from keras import ops

from porefail.nn.convolution import Convolution


def distributions():
    """TensorFlow Probability's distributions for the backend that Keras runs on."""
    if keras.backend.backend() == "jax":
        from tensorflow_probability.substrates import jax as probability
    else:
        import tensorflow_probability as probability
    return probability.distributions


@keras.saving.register_keras_serializable("porefail")
class Flipout(Convolution):
    """Convolution whose every weight and bias is a normal distribution; each call draws from it.

    The means are `kernel` and `bias`, as in a Convolution; log_kernel_scale and log_bias_scale are
    the logarithms of the standard deviations, which start from `scale`. prior: standard deviation
    of the prior N(0, prior²) of them all. The divergence from the prior, times divergence_weight,
    is added to the model's losses: 1 / (realizations · solid voxels of one) beside a mean over
    samples and voxels makes the sum the negative ELBO of Eq. 19, a voxel; where so many voxels
    count as one independent datum (training.bayesian.correlated_voxels) it is as many times that.
    One draw of the
    kernel's deviation serves a batch, each sample with random signs of its own on the channels that
    go in and out: unbiased, and nearly independent between samples. Biases are drawn for each one.
    """

    def __init__(
        self,
        *arguments,
        prior: float = 1.0,
        scale: float = 0.01,
        divergence_weight: float = 0.0,
        **options,
    ):
        super().__init__(*arguments, **options)
        self.prior, self.scale, self.divergence_weight = prior, scale, divergence_weight

    def build(self, input_shape):
        super().build(input_shape)
        start = keras.initializers.Constant(float(np.log(self.scale)))
        self.log_kernel_scale, self.log_bias_scale = (
            self.add_weight(shape=mean.shape, initializer=start, name=f"log_{name}_scale")
            for name, mean in (("kernel", self.kernel), ("bias", self.bias))
        )
        self.random = keras.random.SeedGenerator(self.seed)

    def call(self, fields):
        self.add_loss(self.divergence_weight * self.divergence())
        count = ops.shape(fields)[0]

        def normal(shape):
            return keras.random.normal(shape, dtype=fields.dtype, seed=self.random)

        def signs(channels: int):
            return ops.sign(
                keras.random.uniform((count, 1, 1, 1, channels), -1, 1, fields.dtype, self.random)
            )

        deviation = ops.exp(self.log_kernel_scale) * normal(self.kernel.shape)
        drawn = signs(self.filters) * self.convolve(
            signs(self.kernel.shape[-2]) * fields, deviation
        )
        bias = self.bias + ops.exp(self.log_bias_scale) * normal((count, 1, 1, 1, self.filters))
        return self.activation(self.convolve(fields, self.kernel) + drawn + bias)

    @property
    def distributed(self) -> list[tuple[keras.Variable, keras.Variable]]:
        """Mean and logarithm of the standard deviation, of the kernel and of the bias."""
        return [(self.kernel, self.log_kernel_scale), (self.bias, self.log_bias_scale)]

    def posterior(self) -> list:
        """Distributions of kernel and bias."""
        normal = distributions().Normal
        return [normal(mean.value, ops.exp(scale)) for mean, scale in self.distributed]

    def divergence(self):
        """Kullback-Leibler divergence of the posterior from the prior, summed over all weights."""
        known = distributions()
        prior = known.Normal(0.0, self.prior)
        return sum(ops.sum(known.kl_divergence(each, prior)) for each in self.posterior())

    def get_config(self):
        return super().get_config() | {
            "prior": self.prior,
            "scale": self.scale,
            "divergence_weight": self.divergence_weight,
        }
