"""Makes the int8 model, in a process of its own: `python -m chatbot.knowledge.embedding.convert <weights> <target>`."""

import sys
from pathlib import Path

from chatbot.knowledge.embedding.bert_graph import BertShape, read_safetensors, write_int8_model

if __name__ == "__main__":
    weights, target = map(Path, sys.argv[1:])
    write_int8_model(read_safetensors(weights), BertShape(6, 12, 384), target)
