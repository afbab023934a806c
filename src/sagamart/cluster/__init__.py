"""The whole shop as separate processes on one machine, behind one door: to see what a company would run.

One process for each replica of a service, a database of its own for each service in an embedded PostgreSQL, messages by
HTTP or over Kafka, and a front door.  Whatever dies is started again.
"""

from sagamart.cluster.program import cluster

__all__ = ["cluster"]
