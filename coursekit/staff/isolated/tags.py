"""Every tag on the line, and what stands after it: the one table for both ends. No tag means two things.

A worker's message is JSON, [kind, moves, broken laws, *content], and a tensor's numbers lie beside it in numbered buffers.
The decider's is a pickle, (kind, call, notes, again, (orders, content, modules)), and what the notes are about travels beside it.
"""

# What a message is. The decider asks for more than these: see Worker.do_..., one method for each kind of request.
RETURN, RAISE, CALL, GRADIENT = "return", "raise", "call", "gradient"

# A value, as a worker describes it: [tag, ...]. None, numbers, truth values and text stand for themselves.
TENSOR = "tensor"  # dtype, sides, buffer, place among what has a graph (or -1), name of a subclass
LIST, TUPLE = "list", "tuple"  # items
NAMED_TUPLE = "named tuple"  # name, fields, items
DICT, ORDERED_DICT = "dict", "ordered dict"  # pairs
LARGE_INT = "large int"  # in hexadecimal
SIZE = "size"  # sides
DTYPE = "dtype"  # name
OPAQUE = "opaque"  # name of the type of something that cannot travel
GIVEN = "given"  # number of something of the decider's, place among what has a graph (or -1)
VIEW = "view"  # number of a tensor of the decider's, sides, strides, offset, place among what has a graph (or -1)
GENERATOR = "generator"  # state
FUNCTION = "function"  # handle, name
NETWORK = "network"  # handle, modules, tensors (see shell.py)

# What has moved of something given, as a worker tells it: [tag, number, ...]
GENERATOR_MOVED = "generator moved"  # state
LIST_GREW = "list grew"  # attribute of a module of the checks, the new items
NOTE_CHANGED = "note changed"  # attribute of a module of the checks, value
BUFFER_LEARNED = "buffer learned"  # value
GRADIENT_WRITTEN = "gradient written"  # value or None
GRADIENTS_SWITCHED = "gradients switched"  # whether it asks for gradients
MODE_SWITCHED = "mode switched"  # path of a module inside, whether it trains

# A note of the decider's about what travels beside its pickle, or stays: (tag, ...); each has a number, in this order.
# bytes, dtype, sides, strides, requires_grad, is a parameter, is a leaf, number of its grad
TENSOR_BESIDE = "tensor beside"
GENERATOR_BESIDE = "generator beside"  # bytes of its state
# a module, or a class of modules: in the pickle itself, at its end again with its number
MODULE_INSIDE = "module inside"
CALLABLE_HERE = "callable here"  # stays with the decider, and is called back
WORKERS_OWN = "worker's own"  # the place of something of the worker's, as below

# A place in the decider's pickle where the worker puts what it has: given(tag, ...)
NUMBERED = "numbered"  # number
KEPT = "kept"  # module and name of something that was there when it was imported
HANDLE = "handle"  # handle of something that the worker has returned
INNER_MODULE = "inner module"  # handle of a network, path
