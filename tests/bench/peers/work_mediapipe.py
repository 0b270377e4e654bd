"""MediaPipe's Face Mesh on single pictures (its detector runs every time), behind the protocol of `worker`."""

import sys
from importlib import metadata

import mediapipe
import worker


def main() -> None:
    rgb = worker.photo(sys.argv[1:])
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=False)

    def landmarks() -> object:
        found = mesh.process(rgb).multi_face_landmarks
        if not found:
            raise SystemExit("mediapipe finds no face")
        return found

    worker.serve({"mediapipe": metadata.version("mediapipe")}, "TFLite on the CPU", {"landmarks": landmarks})


main()
