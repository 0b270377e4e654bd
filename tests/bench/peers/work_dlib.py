"""face_recognition on dlib (HOG detector, five points, ResNet of 128 values), behind the protocol of `worker`."""

import sys
from importlib import metadata

import dlib
import face_recognition
import worker


def main() -> None:
    rgb = worker.photo(sys.argv[1:])

    def largest(picture: object) -> object:
        places = face_recognition.face_locations(picture)
        if not places:
            return None
        place = max(places, key=lambda each: (each[2] - each[0]) * (each[1] - each[3]))
        return face_recognition.face_encodings(picture, [place])[0]

    def embedding() -> object:
        found = largest(rgb)
        if found is None:
            raise SystemExit("dlib finds no face")
        return found

    def landmarks() -> object:
        return face_recognition.face_landmarks(rgb)

    worker.serve(
        {"face_recognition": metadata.version("face_recognition"), "dlib": dlib.__version__},
        f"dlib, AVX {'yes' if dlib.USE_AVX_INSTRUCTIONS else 'no'}",
        {"landmarks": landmarks, "embedding": embedding},
        largest,
    )


main()
