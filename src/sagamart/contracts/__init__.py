"""The messages that cross services, one module per owner.  Structs only: no rules, no I/O.

Names: a command or request is imperative or `…Requested`, an event is in the past tense, a refusal is an event.
Money is integer minor units (`…_minor`) with an ISO 4217 currency beside it.  Ids are text with a prefix
(`ord_`, `cus_`) before the 32 hexadecimal digits of a time-ordered UUID.
"""
