"""Search over what was said: folded and stemmed as knowledge is, filled from the event log beside the turns."""
