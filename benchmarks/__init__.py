"""What Tidings costs: AWS calls and units of each operation, imports and memory of each function, processor time."""
