import numpy as np
import tensorflow as tf

from mta.layers import OfClass
from tests.layer_case import check_layer

EACH = np.arange(24, dtype="float32").reshape(4, 2, 3)
LABELS = np.array([[0], [1], [-1], [1]], "float32")


def test_layer_contract(tmp_path):
    check_layer(OfClass, {}, (EACH, LABELS), tmp_path, shape=(4, 3))


def test_each_row_takes_the_line_of_its_class():
    found = OfClass()(EACH, LABELS).numpy()
    np.testing.assert_array_equal(found[[0, 1, 3]], [EACH[0, 0], EACH[1, 1], EACH[3, 1]])
    np.testing.assert_array_equal(found[2], EACH[2].mean(axis=0))
    np.testing.assert_array_equal(OfClass()(EACH, LABELS[:, 0]).numpy(), found)


def test_only_the_line_of_its_class_learns_and_none_where_the_class_is_unknown():
    each = tf.constant(EACH)
    with tf.GradientTape() as tape:
        tape.watch(each)
        total = tf.reduce_sum(OfClass()(each, LABELS))
    gradient = tape.gradient(total, each).numpy()
    wanted = np.zeros((4, 2, 1))
    wanted[[0, 1, 3], [0, 1, 1]] = 1
    np.testing.assert_array_equal(gradient, np.broadcast_to(wanted, EACH.shape))
