"""Slides of one's own making."""

import hashlib

import numpy as np

FILES = {
    *("heatmap.ome.tif", "probability.png", "ncount.png", "narea.png", "regions.geojson", "patches.csv"),
    *("patches.h5", "summary.json", "state.json"),
}
WIDTH, HEIGHT, MARGIN = 500, 400, 48


def section(seed=0, width=WIDTH, height=HEIGHT):
    """A pink section with a purple half on bright glass (height, width, 3) uint8."""
    image = np.full((height, width, 3), 243, np.uint8)
    rows, columns = height - 2 * MARGIN, width - 2 * MARGIN
    color = np.where(np.arange(columns)[:, None] < columns // 2, [190, 130, 180], [150, 90, 170])
    noise = np.random.default_rng(seed).integers(-30, 31, (rows, columns, 3))
    image[MARGIN:-MARGIN, MARGIN:-MARGIN] = np.clip(color + noise, 0, 255)
    return image


def digests(folder):
    """SHA-256 of every file below `folder`."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
