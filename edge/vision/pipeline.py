"""From frames to observations: which net runs when, what belongs to one track, and what is forgotten when.

One frame: is it new?  Where is the face (last mesh, or the detector when due)?  The mesh, its figures, the advice,
the actions; and on a frame with nothing to improve either the passive net or, while somebody is watched for, the
embedding.  Nothing but figures leaves `Eyes.observe`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from edge.core.types import ActionSeen, Advice, Observation
from edge.ports import Floats, Frame, Net, Pixels
from edge.vision import landmarks, quality, skin
from edge.vision.actions import ActionWatcher, Signals
from edge.vision.cues import CueWatch
from edge.vision.detect import Detector, Face, iou
from edge.vision.embed import Embedder, Probe
from edge.vision.landmarks import Landmarker, Mesh
from edge.vision.liveness import PassiveLiveness
from edge.vision.quality import Figures
from edge.vision.settings import EyesSettings
from edge.vision.track import Repeats, Track

_NS = 1_000_000_000
_PHOTO_LONGEST_PX = 1280


@dataclass(frozen=True, slots=True, eq=False)
class FaceDescription:
    """What enrolment learns from one photo.  ``advice`` other than READY says why the photo is unfit."""

    advice: Advice
    figures: Figures
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    embedding: Floats = field(repr=False)  # float32 (D,), unit length

    @property
    def fit(self) -> bool:
        return self.advice is Advice.READY


class Eyes:
    """`edge.ports.Vision` on four nets: face_detection, face_landmarks, passive_liveness and face_embedding."""

    def __init__(self, nets: Mapping[str, Net], settings: EyesSettings | None = None) -> None:
        self._settings = settings or EyesSettings()
        self._detector = Detector(nets["face_detection"], self._settings.detect_least_score)
        self._landmarker = Landmarker(nets["face_landmarks"])
        self._embedder = Embedder(nets["face_embedding"])
        self._passive = PassiveLiveness(nets["passive_liveness"], self._settings.passive_box_scale)
        self._references: Floats | None = None
        self._tracks = 0
        self._track: Track | None = None
        self._rivals: list[Face] = []
        self._detected_ns: int | None = None
        self._repeats = Repeats()
        self._last: Observation | None = None

    def watch(self, references: Floats | None) -> None:
        """Forget every probe, neutral face and track; compare from now on with ``references`` (N, D) or nothing."""
        self._references = references
        self._drop_track()
        self._rivals, self._detected_ns, self._last = [], None, None
        self._repeats = Repeats()

    def observe(self, frame: Frame) -> Observation:
        """The figures of one frame.  Frames must come in the order of their times."""
        if self._repeats.seen_before(frame.rgb):
            last = self._last or Observation(frame.number, frame.at_ns, faces=0, advice=Advice.NO_FACE)
            return replace(
                last,
                frame_no=frame.number,
                at_ns=frame.at_ns,
                passive=None,
                match=None,
                actions=(),
                frozen=True,
            )
        mesh = self._find(frame)
        observation = self._nobody(frame) if mesh is None else self._look(frame, mesh)
        self._last = observation
        return observation

    def describe(self, frame: Frame) -> FaceDescription | None:
        """The face of one photo for enrolment, with its embedding; None when there is no face.

        Of several the large one near the middle: whom a photo is of stands there.  Keeps nothing and does not touch
        the track.
        """
        rgb = _bounded(frame.rgb)
        faces = self._detector.find(rgb)
        if not faces:
            rgb = _with_room(rgb)
            faces = self._detector.find(rgb)
        if not faces:
            return None
        faces = _subject_first(faces, rgb)
        mesh = self._landmarker.at_face(rgb, faces[0])
        if mesh.presence < self._settings.presence_least:
            return None
        figures, pose = quality.measure(rgb, mesh), landmarks.pose(mesh.points)
        rivals = self._rivals_of(faces[0], faces[1:])
        advice = quality.advise_photo(figures, pose, faces[0].width_px, rivals, self._settings)
        embedding = self._embedder.describe(rgb, mesh.five)
        return FaceDescription(advice, figures, pose.yaw_deg, pose.pitch_deg, pose.roll_deg, embedding)

    # --- where is the face ------------------------------------------------------------------------------------

    def _find(self, frame: Frame) -> Mesh | None:
        """The mesh of the tracked face in this frame, or of a new one; None when nobody is there."""
        track, settings = self._track, self._settings
        if track is not None and track.is_over(frame.at_ns, settings):
            self._drop_track()
            track = None
        mesh = None
        if track is not None:
            mesh = self._landmarker.again(frame.rgb, track.mesh)
            if mesh.presence < settings.presence_least or not track.could_be(mesh, frame.at_ns, settings):
                mesh = None
        every_s = settings.look_for_somebody_s if track is None else settings.detect_every_s
        due = self._detected_ns is None or frame.at_ns - self._detected_ns >= every_s * _NS
        if not due and (mesh is not None or track is None):
            return mesh
        self._detected_ns = frame.at_ns
        faces = self._detector.find(frame.rgb, frame.small)
        return self._choose(frame, mesh, faces)

    def _choose(self, frame: Frame, mesh: Mesh | None, faces: list[Face]) -> Mesh | None:
        """Which of the detected faces is the tracked one; where it is not among them, the largest begins a track."""
        same = None
        if mesh is not None and faces:
            overlaps = [iou(mesh.detector_box.tolist(), face.box.tolist()) for face in faces]
            same = overlaps.index(max(overlaps)) if max(overlaps) > 0.2 else None
            if same is None:
                mesh = None  # the mesh clings to something that is not a face
        if mesh is not None:
            # A detector that sees nobody does not outvote a mesh that is sure: turned heads are hard for it.
            main = None if same is None else faces[same]
            others = [face for face in faces if face is not main]
            self._rivals = self._rivals_of(mesh, others)
            return mesh
        self._rivals = []
        if not faces:
            return None
        found = self._landmarker.at_face(frame.rgb, faces[0])
        if found.presence < self._settings.presence_least:
            return None
        if self._track is not None and not self._track.could_be(found, frame.at_ns, self._settings):
            self._drop_track()
        self._rivals = self._rivals_of(faces[0], faces[1:])
        return found

    def _rivals_of(self, main: Face | Mesh, others: list[Face]) -> list[Face]:
        return [face for face in others if face.width_px >= self._settings.rival_width * main.width_px]

    # --- what does it look like -------------------------------------------------------------------------------

    def _nobody(self, frame: Frame) -> Observation:
        if self._track is not None:
            self._track.missed = True
        return Observation(
            frame_no=frame.number, at_ns=frame.at_ns, faces=0, advice=Advice.NO_FACE, track=self._tracks
        )

    def _look(self, frame: Frame, mesh: Mesh) -> Observation:
        settings = self._settings
        figures, pose = quality.measure(frame.rgb, mesh), landmarks.pose(mesh.points)
        colours = skin.measure(frame.rgb, mesh)
        track = self._track or self._new_track()
        speed = track.move_to(mesh, frame.at_ns)
        advice = quality.advise(figures, pose, speed, self._rivals, settings)
        actions: tuple[ActionSeen, ...] = track.actions.step(
            Signals(
                frame.at_ns,
                pose.yaw_deg,
                pose.pitch_deg,
                landmarks.eye_openness(mesh.points),
                landmarks.mouth_openness(mesh.points),
                landmarks.mouth_width(mesh.points),
            )
        )
        passive = match = None
        if advice is Advice.READY:
            embedding_is_next = self._embedding_is_next(track)
            if embedding_is_next:
                track, actions = self._probe(frame.rgb, mesh, track, actions, frame.at_ns)
                match = None if self._references is None else track.probe.best(self._references)
            if not (embedding_is_next and settings.take_turns):
                passive = self._passive.score(frame.rgb, mesh.detector_box, mirrored=track.mirror_next())
            track.ready_frames += 1
        elif settings.judge_withheld:
            passive = self._passive.score(frame.rgb, mesh.detector_box)
        return Observation(
            frame_no=frame.number,
            at_ns=frame.at_ns,
            faces=1 + len(self._rivals),  # who passes by behind does not count
            advice=advice,
            track=track.number,
            face_width=figures.face_width,
            face_x=figures.face_x,
            face_y=figures.face_y,
            yaw_deg=pose.yaw_deg,
            pitch_deg=pose.pitch_deg,
            roll_deg=pose.roll_deg,
            sharpness=figures.sharpness,
            luma_face=figures.luma_face,
            luma_behind=figures.luma_behind,
            passive=passive,
            match=match,
            probe_frames=track.probe.frames,
            actions=actions,
            neutral=track.actions.neutral,
            cues=track.cues.step(frame.rgb, mesh, pose, colours, ready=advice is Advice.READY),
        )

    def _embedding_is_next(self, track: Track) -> bool:
        """Good frames go in turn to the embedding and the passive net; once the probe is full, more to the latter."""
        if self._references is None:
            return False
        if not self._settings.take_turns:
            return True
        every = self._settings.recheck_every if track.probe.full else 2
        return track.ready_frames % every == 0

    def _probe(
        self, rgb: Pixels, mesh: Mesh, track: Track, actions: tuple[ActionSeen, ...], at_ns: int
    ) -> tuple[Track, tuple[ActionSeen, ...]]:
        """One more embedding for the probe; a face unlike the probe is somebody else, on a track of its own."""
        # Every other one from the mirror image: the mean of a probe then has both, as a reference has, at no cost.
        embedding = self._embedder.embed(rgb, mesh.five, mirrored=track.probe.frames % 2 == 1)
        if track.probe.agreement(embedding) < self._settings.swap_cosine:
            self._drop_track()
            track, actions = self._new_track(), ()
            track.move_to(mesh, at_ns)
        if not track.probe.full:
            track.probe.add(embedding)
        return track, actions

    def _new_track(self) -> Track:
        settings = self._settings
        self._tracks += 1
        self._track = Track(
            self._tracks,
            Probe(settings.probe_most),
            ActionWatcher(settings.actions),
            CueWatch(in_turn=settings.cues_in_turn),
        )
        return self._track

    def _drop_track(self) -> None:
        if self._track is not None:
            self._track.probe.forget()
        self._track = None


def find_mesh(nets: Mapping[str, Net], rgb: Pixels) -> Floats | None:
    """float32 (468, 3), in pixels, of the largest face of a picture; None when there is none."""
    faces = Detector(nets["face_detection"]).find(rgb)
    if not faces:
        return None
    landmarker = Landmarker(nets["face_landmarks"])
    # Once more from its own mesh: a crop that sits well gives the steadier mesh.
    return landmarker.again(rgb, landmarker.at_face(rgb, faces[0])).points


def _with_room(rgb: Pixels) -> Pixels:
    """A passport photo can fill its frame too much for the detector: half its length more on every side."""
    room = max(rgb.shape[:2]) // 2
    return np.asarray(cv2.copyMakeBorder(rgb, room, room, room, room, cv2.BORDER_REPLICATE), np.uint8)


def _subject_first(faces: list[Face], rgb: Pixels) -> list[Face]:
    """The face that a photo is of, then the others: large, and near the middle.

    Of 1,534 press photos of one named person each, 172 show more faces; the largest is another one in 15 of them,
    the first of these in none.
    """
    middle = rgb.shape[1] / 2, rgb.shape[0] / 2
    return sorted(faces, key=lambda face: math.dist(face.centre, middle) - face.width_px)


def _bounded(rgb: Pixels) -> Pixels:
    """Large photos at most 1280 px long: more only costs time."""
    scale = _PHOTO_LONGEST_PX / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    # A strip is one pixel wide at least: OpenCV refuses a picture of none.
    width, height = (max(1, round(side * scale)) for side in (rgb.shape[1], rgb.shape[0]))
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
