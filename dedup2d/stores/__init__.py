"""Files outside of payloads: local folder and S3, behind one protocol."""
