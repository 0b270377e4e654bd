"""Anxin against what somebody would pick instead: mediapipe, dlib with face_recognition, @vladmandic/human."""
