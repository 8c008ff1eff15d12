"""The log of a process as it is written, for operators."""
