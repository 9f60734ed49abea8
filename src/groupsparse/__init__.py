"""Group-sparse autoencoders (arXiv 2102.07003): the mathematics, one concept per module.

``prox`` <- ``encoder`` <- ``autoencoder`` <- ``train``; ``recovery`` and ``clustering`` are
metrics and know no model. Nothing is imported here, so that a workflow job loads (and is rerun
for) only what it uses: ``from groupsparse.autoencoder import Autoencoder``.
"""
