"""Code as a product: standalone scripts of runs, scripts of the pipeline, and the box in which foreign ones run."""
