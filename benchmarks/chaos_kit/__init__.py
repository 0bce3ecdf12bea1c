"""Parts of the chaos harness: a stream of jobs, a killer, and what must be true afterwards."""
