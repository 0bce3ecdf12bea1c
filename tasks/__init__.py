"""One file per task of the pipeline; a task opens what it needs and calls one function."""
