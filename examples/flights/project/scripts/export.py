# SPDX-License-Identifier: Apache-2.0
"""scikit-learn -> ONNX: one input `features` (float32, a row a flight), one output `late_probability` (a row a flight).

skl2onnx gives a label and both classes' probabilities; we keep the probability of the label 1. Trees know the way of a
missing value, so NaN needs no imputation.
"""

from unittest import mock

import onnx
from onnx.helper import make_node, make_opsetid, make_tensor, make_tensor_value_info


def make_node_of_integers(*args, **attributes):
    """skl2onnx 1.20 hands False for 0 in a list of integers, which protobuf 7 refuses."""
    flags = "nodes_missing_value_tracks_true"
    if flags in attributes:
        attributes[flags] = [int(flag) for flag in attributes[flags]]
    return make_node(*args, **attributes)


def to_onnx(model, width):
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    with mock.patch("skl2onnx.common._container.make_node", make_node_of_integers):
        exported = skl2onnx.to_onnx(model, initial_types=[("features", FloatTensorType([None, width]))],
                                    options={id(model): {"zipmap": False}})
    graph = exported.graph
    graph.name = "late-arrival"
    graph.initializer.append(make_tensor("late_class", onnx.TensorProto.INT64, [1], [1]))
    graph.node.append(make_node("Gather", ["probabilities", "late_class"], ["late_probability"], axis=1))
    del graph.output[:]
    graph.output.append(make_tensor_value_info("late_probability", onnx.TensorProto.FLOAT, [None, 1]))
    # skl2onnx names the main operator set twice; a strict reader refuses that.
    sets = {item.domain: item.version for item in exported.opset_import}
    del exported.opset_import[:]
    exported.opset_import.extend(make_opsetid(domain, version) for domain, version in sorted(sets.items()))
    onnx.checker.check_model(exported)
    return exported
