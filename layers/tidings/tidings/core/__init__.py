"""Clock, ids, errors, settings, HTTP and keys: what every room stands on."""
