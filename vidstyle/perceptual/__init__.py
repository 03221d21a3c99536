"""Networks whose features stand for what a picture shows and how it is painted."""
