"""Histopathology data for training: patch stores, stains, synthetic tissue, splits. Needs no TensorFlow."""
