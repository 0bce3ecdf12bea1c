"""Admission, idempotency, leases, the doorbell and the delivery ledger; all of it in Redis."""
