"""What a self-check finds."""


class Trouble(Exception):
    """What is wrong and what to do, in one sentence."""


class Absent(Exception):
    """What is not there, and need not be on this machine: told, and no failure."""
