"""The second transport: `assignment2` is a proxy in the deciding process, student code runs in a worker that nobody trusts.

wire      frames of bytes with caps and a deadline; tags: what every word on it means
plain     what a worker may say: JSON and raw numbers, looked at before anything is built
rich      what the decider says: pickled, networks and their local classes included; by_value: functions likewise
peer      calls in both directions over one channel, and gradients across it
changes   which laws student code broke on what it was given, found in the worker; repeat: what the decider makes of it
raised    exceptions in both directions; bridge: gradients and ReLU rules in both directions
proxy     the package assignment2 of the decider
shell     a network that lives in the worker, as the decider sees it
worker    the untrusted end; table: what it was given; zygote starts workers, each in a room of its own
sandbox   the room as bubblewrap makes it, and limits; rooms: a room of its own for each worker
decider   the decider's hold on its zygote; warm_room: the deciding process that forks for each submission
fresh     this term's numbers for the hidden checks
sandboxed_checks  what pytest does differently: puts the proxies in place, a fresh worker after a crash
"""
