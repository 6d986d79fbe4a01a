"""The drill: breaks a running environment on purpose, and says which promises it keeps, with figures and
causes."""
