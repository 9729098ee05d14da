"""Who notices that a process hangs, and what then happens.

Every process judges itself: a thread beside its event loop looks once a second whether the loop runs, whether the work
gets on and how much memory it holds, and ends the process (exit code 76) when a rule of `rules.py` says so. Each look
is also a heartbeat to whoever started the process: `grid up`, systemd, a container's health check. These end what can
no longer judge itself. The rules are pure and the supervisor's share is one of them.
"""
