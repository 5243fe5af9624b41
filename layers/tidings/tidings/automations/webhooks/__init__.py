"""Telling servers of somebody else."""
