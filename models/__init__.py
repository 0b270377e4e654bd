"""The models as data: `manifest.toml`, the quantized files, a card each, a golden face, and the builder.

Importing this package loads nothing. `FOLDER` is where its files are.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
