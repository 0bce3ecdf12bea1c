"""The whole stack on one machine, and what a Prefect server has to know of us."""
