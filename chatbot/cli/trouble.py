"""What a self-check finds."""


class Trouble(Exception):
    """What is wrong and what to do, in one sentence."""
