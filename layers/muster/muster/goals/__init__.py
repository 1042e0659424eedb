"""Goals: a value and a target in, a verdict out; and what is a signal at all (XmR)."""
