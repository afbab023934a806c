"""Three brokers that keep three copies of everything, of which two must have a message before it counts.

trio = Trio(folder)
trio.start(*NODES)
trio.kill(leader := trio.leader("orders"))       # with SIGKILL
trio.start(leader)                               # which comes back, and catches up
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from kafka_broker import Broker

NODES = (1, 2, 3)
ANSWER_S_MAX = 30.0
PROPERTIES = """\
node.id={node}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
"""


class Member(Broker):
    """One of three."""

    def __init__(self, folder: Path, node: int) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.node = node
        self.voters = ""

    def properties(self) -> str:
        """The same, as one of three; of two lines for one thing the last counts."""
        return super().properties() + PROPERTIES.format(node=self.node, voters=self.voters)

    def formatting(self) -> list[str]:
        """Nothing: who votes is written in its configuration."""
        return []


class Trio:
    """All three."""

    def __init__(self, folder: Path) -> None:
        self._members = {node: Member(folder / str(node), node) for node in NODES}
        voters = ",".join(f"{node}@127.0.0.1:{one.controller_port}" for node, one in self._members.items())
        for one in self._members.values():
            one.voters = voters

    @property
    def bootstrap(self) -> tuple[str, ...]:
        """Where they listen."""
        return tuple(one.bootstrap for one in self._members.values())

    def start(self, *nodes: int) -> None:
        """Start these; returns when they take messages."""
        with ThreadPoolExecutor(len(nodes)) as pool:
            for _ in pool.map(lambda node: self._members[node].start(), nodes):
                pass

    def remove(self) -> None:
        """Kill all, with all that they have."""
        for one in self._members.values():
            one.remove()

    def kill(self, *nodes: int) -> None:
        """With SIGKILL, in the midst of whatever they do."""
        for node in nodes:
            self._members[node].kill()

    def leader(self, topic: str) -> int:
        """Who leads the topic's first partition; -1 is nobody."""
        found: int = self._partition(topic).leader
        return found

    def in_sync(self, topic: str) -> Sequence[int]:
        """Who has all of it."""
        return sorted(self._partition(topic).isrs)

    def _partition(self, topic: str) -> Any:
        alive = ",".join(one.bootstrap for one in self._members.values() if one.is_running)
        admin = AdminClient({"bootstrap.servers": alive, "log_level": 0})
        return admin.list_topics(topic, timeout=ANSWER_S_MAX).topics[topic].partitions[0]
