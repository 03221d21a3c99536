"""The painters: networks, the files that hold them, and the engines that run them."""
