"""Proof that the checker notices what it is for: the system's own code with one safeguard taken out.

`mutants` takes a safeguard out of a process, `process` starts a real process of a service with or without that,
`small` is a stand of just the parts a report passes through, `scenes` does to it what the safeguard is against. No
part of the product knows of any of this.
"""
