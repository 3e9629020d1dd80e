# SPDX-License-Identifier: Apache-2.0
"""Makes the small ONNX models beside it: python make_models.py. Versions: see models.json."""
import json
import os

import numpy as np
import onnx
import skl2onnx
import sklearn
from onnx import TensorProto, helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

HERE = os.path.dirname(os.path.abspath(__file__))
OPSETS = [helper.make_opsetid("", 18)]


def save(model, name):
    onnx.save(model, os.path.join(HERE, name))


def graph(name, nodes, inputs, outputs, initializers=(), opsets=OPSETS):
    made = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    return helper.make_model(made, opset_imports=opsets, ir_version=8, producer_name="slipway-testdata")


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def classifier(name, seed, zipmap):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(200, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -2.0, 0.5]) + rng.normal(size=200) > 0).astype(np.int64)
    fitted = LogisticRegression(random_state=0).fit(x, y)
    model = skl2onnx.to_onnx(fitted, initial_types=[("x", FloatTensorType([None, 3]))],
                             options={id(fitted): {"zipmap": zipmap}}, target_opset={"": 18, "ai.onnx.ml": 3})
    save(model, name)
    rows = np.array([[0.0, 0.0, 0.0], [1.0, -1.0, 2.0]], dtype=np.float32)
    return fitted.predict_proba(rows).astype(float).round(6).tolist()


facts = {"onnx": onnx.__version__, "skl2onnx": skl2onnx.__version__, "scikit-learn": sklearn.__version__}
facts["classifier"] = classifier("classifier.onnx", 1, False)
facts["challenger"] = classifier("challenger.onnx", 2, False)
classifier("zipmap.onnx", 1, True)

# Every element type, passed through.
KINDS = [("bool", TensorProto.BOOL), ("uint8", TensorProto.UINT8), ("uint16", TensorProto.UINT16), ("uint32", TensorProto.UINT32),
         ("uint64", TensorProto.UINT64), ("int8", TensorProto.INT8), ("int16", TensorProto.INT16), ("int32", TensorProto.INT32),
         ("int64", TensorProto.INT64), ("fp16", TensorProto.FLOAT16), ("fp32", TensorProto.FLOAT), ("fp64", TensorProto.DOUBLE),
         ("text", TensorProto.STRING)]
save(graph("identity", [helper.make_node("Identity", ["in_" + n], ["out_" + n]) for n, _ in KINDS],
           [value("in_" + n, k, ["n"]) for n, k in KINDS], [value("out_" + n, k, ["n"]) for n, k in KINDS]), "identity.onnx")

# One input a column: total = a + 2 b, and the carrier passed through.
save(graph("columns", [helper.make_node("Add", ["b", "b"], ["twice"]), helper.make_node("Add", ["a", "twice"], ["total"]),
                       helper.make_node("Identity", ["carrier"], ["carrier_out"])],
           [value("a", TensorProto.FLOAT, ["n", 1]), value("b", TensorProto.FLOAT, ["n", 1]), value("carrier", TensorProto.STRING, ["n", 1])],
           [value("total", TensorProto.FLOAT, ["n", 1]), value("carrier_out", TensorProto.STRING, ["n", 1])]), "columns.onnx")

# Fails while it runs when an index is out of range; loads and answers zeros otherwise.
table = helper.make_tensor("table", TensorProto.FLOAT, [3], [10.0, 20.0, 30.0])
save(graph("gather", [helper.make_node("Gather", ["table", "i"], ["y"])], [value("i", TensorProto.INT64, ["n"])],
           [value("y", TensorProto.FLOAT, ["n"])], [table]), "gather.onnx")

# Inputs of the classifier, another width: a version that refuses what its predecessor took.
save(graph("narrow", [helper.make_node("Identity", ["x"], ["y"])], [value("x", TensorProto.FLOAT, ["n", 2])],
           [value("y", TensorProto.FLOAT, ["n", 2])]), "narrow.onnx")

# Weights in a file beside the model; and the same pointing elsewhere.
weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [2.0, 3.0])
outside = graph("external", [helper.make_node("Mul", ["x", "w"], ["y"])], [value("x", TensorProto.FLOAT, ["n", 2])],
                [value("y", TensorProto.FLOAT, ["n", 2])], [weights])


def moved(name, location):
    model = onnx.ModelProto()
    model.CopyFrom(outside)
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", "0"), ("length", "8")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, text
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(model.SerializeToString())


moved("external.onnx", "external.data")
with open(os.path.join(HERE, "external.data"), "wb") as out:
    out.write(np.array([2.0, 3.0], dtype="<f4").tobytes())
moved("escaping.onnx", "../testdata/external.data")
moved("absolute.onnx", "/etc/hostname")
moved("missing.onnx", "not-there.data")

# An operator that would need a library of its own.
save(graph("custom", [helper.make_node("Run", ["x"], ["y"], domain="com.example")], [value("x", TensorProto.FLOAT, ["n"])],
           [value("y", TensorProto.FLOAT, ["n"])], opsets=OPSETS + [helper.make_opsetid("com.example", 1)]), "custom.onnx")

# Answers at once unless something in x is above 0: then its loop never ends.
count = helper.make_graph(
    [helper.make_node("Identity", ["go"], ["go_out"]), helper.make_node("Add", ["sum", "x"], ["sum_out"])], "count",
    [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("sum", TensorProto.FLOAT, ["n", 3])],
    [value("go_out", TensorProto.BOOL, []), value("sum_out", TensorProto.FLOAT, ["n", 3])])
save(graph("endless", [helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0), helper.make_node("Greater", ["most", "zero"], ["go"]),
                       helper.make_node("Loop", ["", "go", "x"], ["y"], body=count)],
           [value("x", TensorProto.FLOAT, ["n", 3])], [value("y", TensorProto.FLOAT, ["n", 3])],
           [helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])]), "endless.onnx")

with open(os.path.join(HERE, "models.json"), "w") as out:
    json.dump(facts, out, indent=1)
    out.write("\n")
