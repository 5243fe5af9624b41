"""The local system: the deployed template on a local engine, the carriers, and one port in front of them."""
