"""Initialisations that use labels, by name: what comes from them is marked wherever it is shown."""

SUPERVISED_INITS = ("class",)
