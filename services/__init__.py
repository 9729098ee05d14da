"""Three services on one chassis over one set of rules.

`governance` holds the rules of the cycle and knows nothing else; `chassis` is the plumbing that the services share
and names no stage, tier or category; `intake`, `dispatch` and `escalation` are the three services, each built from
the same rooms. `governance` and `chassis` are not services: they live here because the top level is fixed.
"""
