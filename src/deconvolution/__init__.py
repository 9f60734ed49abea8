"""The deconvolution (DUNL): kernels and events in recordings."""
