"""Networks that predict damage from porosity, their losses and their training (Keras 3)."""

import os

# Before Keras is imported, and unless the user says otherwise: Keras runs on TensorFlow, which does
# not log (its errors reach Python all the same) and uses oneDNN's convolutions on any processor (by
# itself it does so only on those with AVX-512; without, training is 3.6 times slower).
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
