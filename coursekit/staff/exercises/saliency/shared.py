"""Hints that several exercises of saliency have in common."""

CALLERS_IMAGES = (
    "Look at the pictures after the call: they are the caller's, and something about them is no longer as it was."
)
LEFT_BEHIND = "After the call, and after a call that failed, the network must be exactly what it was."
CROSS_TERMS = (
    "With three pictures of different classes, each answer contains something of the other two: count what you picked."
)
BATCH_AXIS = "Try it on one picture: the axis of the batch must survive, also when it has length 1."
ALIASED = "The layer that follows writes over what you kept: look at negative values of your copy."
IN_PLACE = "The in-place ReLU behind the layer changes what a hook kept, and full backward hooks fail there: use record_outputs."
PRE_SOFTMAX = "The lecture takes the score before it becomes a probability: look at what the network returns."
OTHER_CLASS = "Which class is explained is the caller's choice, not the network's."
