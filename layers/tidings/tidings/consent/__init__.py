"""May a message go to this address? Suppression now; topics, quiet hours and caps have their place here."""
