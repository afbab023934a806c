"""The services, one slice each, all of one inner shape.  Deleting a folder deletes the service."""
