"""Where recovery stops: its probability over planes of two properties of the problem."""
