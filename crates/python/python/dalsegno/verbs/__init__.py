"""The verbs of the engine, each group in a file of its own. Use `dalsegno.Engine`: these names may change."""
