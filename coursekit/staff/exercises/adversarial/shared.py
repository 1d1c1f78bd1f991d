"""Hints that several exercises of adversarial have in common."""

OWN_GUESS = "Which class the attack is about is the caller's choice; it is not what the network says."
LEFT_BEHIND = "Compare parameters, their gradients and your inputs with what they were before the call."
OUT_OF_RANGE = "Look at the smallest and the largest value of the result: is it still a picture?"
NOT_SIGNED = "Small slopes move values less than large ones in your attack; the budget counts each value alone."
ONE_SOURCE = "Random numbers come from one source only, the one that is handed to you."
CALLERS = "Compare what you were given before and after the call."
