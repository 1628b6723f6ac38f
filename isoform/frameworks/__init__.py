"""One definition, other frameworks: a model's forward as a graph of ATen operators, walked by JAX or by TensorFlow."""
