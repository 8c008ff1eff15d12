"""Turns the published weights into the int8 model, in a process of its own: `python -m …convert <weights> <target>`.

The graph library and the quantiser take 300 MB and log every tensor; no serving process should keep either.
"""

import sys
from pathlib import Path

from chatbot.knowledge.embedding.bert_graph import BertShape, read_safetensors, write_int8_model

MINILM = BertShape(6, 12, 384)


def main() -> None:
    """Convert the weights named first into the file named second."""
    weights, target = (Path(argument) for argument in sys.argv[1:3])
    write_int8_model(read_safetensors(weights), MINILM, target)


if __name__ == "__main__":
    main()
