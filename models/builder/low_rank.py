"""Fewer weights for a matrix product over a picture of many channels (a Tucker decomposition); numpy only.

Where a net ends in one product of (height, width, channels) values, most of its weights stand there. They are much
alike from channel to channel and from place to place, so three small products can take the place of the large one:
channels to a few, places to a few, and the rest.
"""

import numpy as np
from numpy.typing import NDArray

from models.builder.net import Conv, Dense, Flatten, Layer, Reshape

_ROUNDS = 3


def split(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    channel: tuple[NDArray[np.float32], NDArray[np.float32]],
    ranks: tuple[int, int],
    reads: str,
    writes: str,
) -> list[Layer]:
    """Layers for the product (h, w, channels, out): channels to ``ranks[0]``, places to ``ranks[1]``, then to out.

    ``channel`` holds each channel's mean and standard deviation over what the net was trained on: its last batch
    normalization knows them, so no picture is needed. At the mean the answer is exact; errors elsewhere weigh as much
    as the channel is wide. With full ranks nothing is lost.
    """
    height, width, channels, out = kernel.shape
    mean, deviation = (np.asarray(part, np.float64) for part in channel)
    deviation = np.maximum(deviation, 1e-6)
    table = kernel.astype(np.float64).reshape(height * width, channels, out).transpose(0, 2, 1) * deviation
    among_channels, among_places = _bases(table, *ranks)
    core = np.einsum("ps,por->rso", among_places, table @ among_channels)
    # Unit deviation and zero mean in each of the few channels: one scale serves them all in int8.
    squeeze = among_channels / deviation[:, None]
    at_mean = bias + np.einsum("yxco,c->o", kernel.astype(np.float64), mean)
    few, places = ranks
    return [
        Conv(
            reads=(reads,),
            writes="squeeze",
            kernel=_kernel(squeeze[None, None]),
            bias=_kernel(-mean @ squeeze),
            padding="valid",
        ),
        Flatten(reads=("squeeze",), writes="channel_by_channel", channels_first=True),
        Reshape(reads=("channel_by_channel",), writes="rows", shape=(1, few, height * width)),
        Conv(reads=("rows",), writes="places", kernel=_kernel(among_places[None, None]), bias=None, padding="valid"),
        Flatten(reads=("places",), writes="core"),
        Dense(reads=("core",), writes=writes, kernel=_kernel(core.reshape(few * places, out)), bias=_kernel(at_mean)),
    ]


def _bases(table: NDArray[np.float64], few: int, places: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Orthonormal (channels, few) and (places, few places) that keep the most of (places, out, channels).

    Found in turns, each the best for the other as it stands.
    """
    at, _, channels = table.shape
    among_places = np.eye(at)
    for _ in range(_ROUNDS):
        seen = np.tensordot(among_places.T, table, 1).reshape(-1, channels)
        among_channels = _strongest(seen.T @ seen, few)
        seen = (table @ among_channels).reshape(at, -1)
        among_places = _strongest(seen @ seen.T, places)
    return among_channels, among_places


def _strongest(products: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The `count` eigenvectors of the greatest eigenvalues, as columns."""
    return np.asarray(np.linalg.eigh(products)[1][:, ::-1][:, :count])


def _kernel(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)
