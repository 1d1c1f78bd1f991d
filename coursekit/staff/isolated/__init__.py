"""The second transport: `assignment2` is a proxy in the deciding process, student code runs in a worker that nobody trusts.

wire      frames of bytes with caps and a deadline
plain     what a worker may say: JSON and raw numbers, looked at before anything is built
rich      what the decider says: pickled, networks and their local classes included; only the worker reads it
peer      calls in both directions over one channel, and gradients across it
changes   what student code did to its arguments, found in the worker; repeat: the same done to the decider's objects
raised    exceptions in both directions; bridge: gradients and ReLU rules in both directions
proxy     the package assignment2 of the decider
shell     a network that lives in the worker, as the decider sees it
worker    the untrusted end; zygote starts workers, each in a room of its own
sandbox   the room as bubblewrap makes it, and limits; rooms: a room of its own for each worker
decider   the decider's hold on its zygote; warm_room: the deciding process that forks for each submission
fresh     this term's numbers for the hidden checks
sandboxed_checks  what pytest does differently: puts the proxies in place, a fresh worker after a crash
"""
