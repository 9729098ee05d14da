"""What dispatch does: `take` a batch of messages, `act` for a person, `show` a case or a list.

Each loads, asks the rules, and saves what they say; none of them decides anything itself.
"""
