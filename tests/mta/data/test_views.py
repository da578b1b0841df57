"""The eight views of a square."""

import numpy as np

from mta.data.views import dihedral

IMAGE = np.arange(4 * 4 * 3, dtype="uint8").reshape(1, 4, 4, 3)


def view(image, number):
    return dihedral(image, np.array([number]))


def key(image):
    return image.tobytes()


def test_view_0_is_the_image_itself():
    np.testing.assert_array_equal(view(IMAGE, 0), IMAGE)


def test_the_eight_views_are_those_of_the_square():
    turned = [np.rot90(IMAGE[0], k) for k in range(4)]
    expected = {key(t) for t in turned} | {key(np.ascontiguousarray(t.transpose(1, 0, 2))) for t in turned}
    assert {key(view(IMAGE, number)) for number in range(8)} == expected
    assert len(expected) == 8


def test_they_form_a_group():
    views = {key(view(IMAGE, number)): number for number in range(8)}
    table = np.array([[views[key(view(view(IMAGE, first), second))] for second in range(8)] for first in range(8)])
    for lines in (table, table.T):
        assert all(sorted(line) == list(range(8)) for line in lines)  # every element has an inverse
    assert (table != table.T).any()  # the dihedral group is not the cyclic one


def test_each_image_of_a_batch_gets_its_own_view():
    batch = np.random.default_rng(0).integers(0, 256, (8, 5, 5, 3), dtype="uint8")
    which = np.array([7, 0, 3, 3, 5, 1, 2, 4])
    views = dihedral(batch, which)
    assert views.dtype == np.uint8
    for index, number in enumerate(which):
        np.testing.assert_array_equal(views[index], view(batch[index : index + 1], number)[0])
