"""The eyes: frames in, observations out.

Public: `edge.vision.pipeline` (`Eyes`, `FaceDescription`, `find_mesh`) and `edge.vision.settings`.
"""
