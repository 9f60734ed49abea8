"""Clustering of images by mixtures of sparse networks (MixMate) and by subspaces of features."""
