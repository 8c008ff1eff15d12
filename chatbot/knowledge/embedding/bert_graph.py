"""Turns the weights of a BERT sentence encoder (safetensors) into an int8 ONNX model, without torch."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

Weights = Mapping[str, NDArray[np.float32]]

_OPSET = 20
_RUNTIME_DOMAIN = "com.microsoft"  # of onnxruntime's own operators
_EPSILON = 1e-12


@dataclass(frozen=True)
class BertShape:
    """The sizes of the encoder: what its ``config.json`` says."""

    layers: int
    heads: int
    width: int


def read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the float32 tensors of a safetensors file.

    The format is 8 bytes of header length, a JSON header of offsets, then raw little-endian data
    (huggingface/safetensors, README "Format"). Tensors of other types are skipped.
    """
    data = path.read_bytes()
    (header_length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + header_length])
    body = memoryview(data)[8 + header_length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[start:end], dtype="<f4").reshape(entry["shape"])
    return tensors


class _Graph:
    """Collects nodes and weights; every method returns the name of the value it makes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        names = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names[0]

    def constant(self, value: NDArray[np.generic], name: str) -> str:
        if all(weight.name != name for weight in self.weights):
            self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def linear(self, value: str, weight: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> str:
        product = self.op("MatMul", value, self.constant(weight.T, f"{name}.weight"))
        return self.op("Add", product, self.constant(bias, f"{name}.bias"))

    def layer_norm(self, value: str, weights: Weights, name: str) -> str:
        scale = self.constant(weights[f"{name}.weight"], f"{name}.weight")
        bias = self.constant(weights[f"{name}.bias"], f"{name}.bias")
        return self.op("LayerNormalization", value, scale, bias, epsilon=_EPSILON)


def _embeddings(graph: _Graph, weights: Weights) -> str:
    table = graph.constant(weights["embeddings.word_embeddings.weight"], "words")
    words = graph.op("Gather", table, "input_ids")
    # Token type is always 0 here, so its vector is folded into the positions.
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.op("Shape", "input_ids", start=1, end=2)
    zero = graph.constant(np.array([0], np.int64), "zero")
    here = graph.op("Slice", graph.constant(positions, "positions"), zero, length, zero)
    return graph.layer_norm(graph.op("Add", words, here), weights, "embeddings.LayerNorm")


def _attention(graph: _Graph, value: str, mask: str, weights: Weights, name: str, shape: BertShape) -> str:
    """One operator of the runtime's own for query, key and value together: a tenth of the whole model's time less."""
    parts = [f"{name}.self.{part}" for part in ("query", "key", "value")]
    weight = graph.constant(np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1), f"{name}.weight")
    bias = graph.constant(np.concatenate([weights[f"{part}.bias"] for part in parts]), f"{name}.bias")
    mixed = graph.op("Attention", value, weight, bias, mask, num_heads=shape.heads, domain=_RUNTIME_DOMAIN)
    out = f"{name}.output.dense"
    attended = graph.linear(mixed, weights[f"{out}.weight"], weights[f"{out}.bias"], out)
    return graph.layer_norm(graph.op("Add", attended, value), weights, f"{name}.output.LayerNorm")


def _feed_forward(graph: _Graph, value: str, weights: Weights, name: str) -> str:
    inner, outer = f"{name}.intermediate.dense", f"{name}.output.dense"
    wide = graph.op("Gelu", graph.linear(value, weights[f"{inner}.weight"], weights[f"{inner}.bias"], inner))
    narrow = graph.linear(wide, weights[f"{outer}.weight"], weights[f"{outer}.bias"], outer)
    return graph.layer_norm(graph.op("Add", narrow, value), weights, f"{name}.output.LayerNorm")


def _mean_pool(graph: _Graph, value: str, mask: str) -> str:
    """Mean over real tokens, then length 1, as sentence-transformers' Pooling and Normalize do."""
    one, last = graph.constant(np.array([1], np.int64), "one"), graph.constant(np.array([-1], np.int64), "last")
    total = graph.op("ReduceSum", graph.op("Mul", value, graph.op("Unsqueeze", mask, last)), one, keepdims=0)
    mean = graph.op("Div", total, graph.op("ReduceSum", mask, one, keepdims=1))
    return graph.op("LpNormalization", mean, axis=-1, p=2)


def build_float_model(weights: Weights, shape: BertShape) -> onnx.ModelProto:
    """Build the float32 model: int64 `input_ids`, `attention_mask` (batch, tokens) to `embedding` (batch, width)."""
    graph = _Graph()
    mask = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    seen = graph.op("Cast", "attention_mask", to=TensorProto.INT32)
    value = _embeddings(graph, weights)
    for layer in range(shape.layers):
        name = f"encoder.layer.{layer}"
        value = _attention(graph, value, seen, weights, f"{name}.attention", shape)
        value = _feed_forward(graph, value, weights, name)
    graph.op("Identity", _mean_pool(graph, value, mask))
    graph.nodes[-1].output[0] = "embedding"
    return _as_model(graph, shape.width)


def _as_model(graph: _Graph, width: int) -> onnx.ModelProto:
    def tokens(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])

    output = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", width])
    inputs = [tokens("input_ids"), tokens("attention_mask")]
    made = helper.make_graph(graph.nodes, "sentence_encoder", inputs, [output], graph.weights)
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_RUNTIME_DOMAIN, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=10)


def write_int8_model(weights: Weights, shape: BertShape, target: Path) -> None:
    """Write the model with int8 weights per channel and dynamic activations (a quarter of the size)."""
    quantize_dynamic(
        build_float_model(weights, shape),
        target,
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )
