"""The demo: the main job from end to end, with six people, in a terminal."""
