"""CPU work in child processes with limits on memory, time and output."""
