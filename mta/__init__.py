"""Multi-task adversarial CNNs for histopathology.

Nothing heavy is imported here: TensorFlow comes with the first call that needs it.
"""

__version__ = "0.1.0"
