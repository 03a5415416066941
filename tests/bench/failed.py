"""The one error of the benchmarks: something did not work, and why."""


class Failed(Exception):
    """What did not work, in a sentence, with the last lines that tell why."""
