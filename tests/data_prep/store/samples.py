"""Small files in the layouts of the original, made of random pixels."""

import h5py
import numpy as np

CAM16 = "tumor/level7/centre0/patient042_Mask.tif"
CAM17 = "normal/level7/centre2/patient055/node1"


def pixels(count, size=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def put_values(file, name, values):
    """Other `values` in the dataset `name` of our file, as a program writes them that knows no checksums."""
    del file[name]
    file[name] = values


def camelyon(path, groups=((CAM16, 3), (CAM17, 5)), size=8):
    """Arrays of patches a slide and class, with (row, col) locations."""
    with h5py.File(path, "w") as file:
        for seed, (group, count) in enumerate(groups):
            file[f"{group}/patches"] = pixels(count, size, seed)
            file[f"{group}/locations"] = np.stack([np.arange(count) + 10, np.arange(count) + 200], axis=1)
    return path


def demo(path, entries=(("all500", f"{CAM17}/patches", (2, 10)), ("cam16", f"{CAM16}/patches", (7,))), size=8):
    """One dataset a patch below the name of its database."""
    with h5py.File(path, "w") as file:
        for source, entry, numbers in entries:
            for number in numbers:
                file[f"{source}/{entry}/{number}"] = pixels(1, size, number)[0]
    return path


def pannuke(path, keys=("fold1/3/tumor", "fold1/75/75/tumor", "fold2/1/normal"), size=8, dtype="float64"):
    """Float patches with six mask channels."""
    with h5py.File(path, "w") as file:
        for seed, key in enumerate(keys):
            file[f"pannuke/{key}/center/patch"] = pixels(1, size, seed).astype(dtype)
            masks = np.random.default_rng(seed).integers(0, 400, (1, size, size, 6))
            file[f"pannuke/{key}/center/mask"] = masks.astype(dtype)
    return path
