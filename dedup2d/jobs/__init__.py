"""Jobs: what is asked for, how it stands, how it ends. A job is a flow run of ``dedup-job``."""
