"""How long tests wait for what comes by itself before they say that it never came."""

# A machine that does other things as well may take its time: only what fails waits so long.
SECONDS = 60.0
