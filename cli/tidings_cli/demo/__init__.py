"""The demo: the main job from end to end, with five people, in a terminal."""
