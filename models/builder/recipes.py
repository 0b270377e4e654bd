"""How each model is made: which reader, what the signature calls its outputs, how it is quantized, what must hold.

The choice of quantization is by measurement (docs/adr/0002 has the figures): int8 weights with float activations
(`weights_int8`) where int8 activations cost what the product needs - thin eyelids, a thin line between a face and a
print - and full int8 (`int8`) where they do not. Both take the same memory on disk; XNNPACK unpacks int8 weights
once, when the model is opened.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Reader = Literal["sface", "onnx", "tflite"]
Quantization = Literal["int8", "weights_int8"]


@dataclass(frozen=True)
class Recipe:
    """One model. `gates` maps a figure of `gates.agreement` to its least and greatest allowed value."""

    name: str
    file: str
    reader: Reader
    sources: tuple[str, ...]
    input_size_px: int
    channels: Literal["rgb", "bgr"]
    mean: float
    std: float
    outputs: Mapping[str, int]
    quantization: Quantization
    gates: Mapping[str, tuple[float, float]]
    reference: str | None = None
    float_layers: tuple[str, ...] = ()
    # Channels and places that are left of the last matrix product (low_rank.py).
    ranks: tuple[int, int] | None = None
    shipped: bool = True

    def as_json(self) -> dict[str, Any]:
        """What the stages in the other environments are told."""
        return asdict(self)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="face_detection",
        file="face_detection.tflite",
        reader="tflite",
        sources=("face_detection_short_range.tflite",),
        input_size_px=128,
        channels="rgb",
        mean=127.5,
        std=127.5,
        outputs={"boxes": 0, "scores": 1},
        quantization="weights_int8",
        # One channel of the last backbone convolution has weights 299 times another's: in int8 that layer alone
        # makes every box 3 px of 128 too large; in float (37 KB) the whole net is within 0.2 px.
        float_layers=("v_tensor_155/Conv2D",),
        reference="face_detection_short_range.tflite",
        gates={"box_shift_px": (0.0, 0.3), "score_logit_shift": (0.0, 0.2)},
    ),
    Recipe(
        name="face_landmarks",
        file="face_landmarks.tflite",
        reader="tflite",
        sources=("face_landmark.tflite",),
        input_size_px=192,
        channels="rgb",
        mean=0.0,
        std=255.0,
        outputs={"points": 0, "presence": 1},
        quantization="weights_int8",
        reference="face_landmark.tflite",
        gates={"point_shift_px": (0.0, 0.3), "worst_point_shift_px": (0.0, 1.5)},
    ),
    Recipe(
        name="face_embedding",
        file="face_embedding.tflite",
        reader="sface",
        sources=("face_recognition_sface_2021dec_int8bq.onnx",),
        input_size_px=112,
        channels="rgb",
        mean=127.5,
        std=128.0,
        outputs={"embedding": 0},
        quantization="int8",
        # Of 6.4 million weights 0.9 are left: 10 MB were 4.5, what 6 MB for all models leave room for. Among what
        # takes this room, 176 channels and 31 places lose the least (models/TRIED.md).
        ranks=(176, 31),
        # Depthwise convolutions lose the most in int8 and cost the least in float.
        float_layers=("_dw_batchnorm/BiasAdd;",),
        reference="face_recognition_sface_2021dec_int8bq.onnx",
        # The least are of masked faces in poor light: the calibration's own pictures, harder than any reference.
        gates={
            "cosine_mean": (0.96, 1.0),
            "cosine_least": (0.78, 1.0),
            "whole_cosine_mean": (0.945, 1.0),
            "whole_cosine_least": (0.73, 1.0),
        },
    ),
    Recipe(
        name="passive_liveness",
        file="passive_liveness.tflite",
        reader="onnx",
        sources=("fr_liveness.onnx",),
        input_size_px=128,
        channels="bgr",
        mean=0.0,
        std=1.0,
        outputs={"logits": 0},
        quantization="weights_int8",
        gates={"live_score_shift": (0.0, 0.01), "worst_live_score_shift": (0.0, 0.2)},
    ),
)
