"""Publishing, pausing, archiving, ending, and the jobs that follow."""
