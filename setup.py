"""Package metadata. Tool settings live in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "mta" / "__init__.py").read_text())[1]

# h5py has no lower bound of its own here beyond what TensorFlow asks for (TensorFlow 2.21 holds it below 3.15).
INSTALL = [
    "tensorflow>=2.21",
    # Older Keras runs code on loading untrusted models (CVE-2025-1550, CVE-2025-8747, CVE-2025-9906).
    "keras>=3.12",
    "numpy>=2.0",
    "h5py>=3.11",
    "pandas>=3.0",
    "scipy>=1.13",
    "opencv-python-headless>=4.13",  # look-up tables with a 16-bit index
    "pillow>=10.3",
    "matplotlib>=3.9",
    "pyyaml>=6.0",
    "scikit-image>=0.24",
    "scikit-learn>=1.5",
    "imagehash>=4.3",
    "tyro>=1.0",
    "tqdm>=4.66",
    "typeguard>=4.3",
    "packaging>=24.0",
]
EXTRAS = {
    "gpu": ["tensorflow[and-cuda]>=2.21"],
    "slides": [
        "openslide-python>=1.4",
        "openslide-bin>=4.0",
        "tifffile>=2024.8",
        "imagecodecs>=2024.6",  # JPEG and JPEG 2000 inside TIFF
        "shapely>=2.1",
        "defusedxml>=0.7",
        "distributed>=2024.8",
    ],
    "explain": ["umap-learn>=0.5.7"],
    "onnx": ["onnx>=1.17", "tf2onnx>=1.17", "onnxruntime>=1.20"],
    "tensorboard": ["tensorboard>=2.19"],
}
EXTRAS["dev"] = [
    "pytest>=8.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.112",
    "nbclient>=0.10",
    "ipykernel>=6.29",
    "tornado>=6.4",  # tests talk to Chromium by it
    "ruff>=0.12",
    "mypy>=1.11",
    "types-PyYAML",
    "jax>=0.7",
    *EXTRAS["explain"],
    *EXTRAS["onnx"],
    *EXTRAS["slides"],
]

setup(
    name="mta",
    version=VERSION,
    description="Multi-task adversarial CNNs for histopathology that generalize across hospitals and show why",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    packages=find_packages(include=["mta*", "data_prep*"]),
    package_data={"mta": ["py.typed", "explain/web/*", "reporting/page.js"], "data_prep": ["py.typed"]},
    # TensorFlow 2.21 has wheels for CPython up to 3.13 only.
    python_requires=">=3.11,<3.14",
    install_requires=INSTALL,
    extras_require=EXTRAS,
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
    ],
)
