"""The training of a model in a container: the operator, what the container gets, its results."""
