"""One file per flow; a flow reads as the algorithm."""
