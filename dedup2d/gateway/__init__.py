"""The HTTP gateway: the predecessor's contract on top of Prefect's flow runs."""
