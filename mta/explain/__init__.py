"""What a trained network has learned and forgotten: probes, embeddings, maps, parts, and how the adversary did.

`python -m mta.explain COMMAND RUN…`; every command is a module here, and what it does a function in it.
"""
