"""Blueprints: what can be read off the shop's own code.

Its messages as contracts (AsyncAPI, JSON Schema), its services and its saga as drawings, and the saga's rules checked
against its table.  Everything here derives from the services and from `LIFECYCLE`: nothing is written down twice.
"""
