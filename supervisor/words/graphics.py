"""Why nobody knows how much graphics memory there is, in words."""

NO_PACKAGE = "the package `nvidia-ml-py` is not installed"
NO_ANSWER = "the driver does not answer"
