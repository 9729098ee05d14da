"""`LAN=1`: the three services over HTTPS for phones in the same network, behind a certificate authority of one's own.

A browser gives position and offline work to pages over HTTPS alone, and nobody may sign in over plain HTTP from another
machine. So the services listen a second time, with TLS, on all interfaces; plain HTTP stays on loopback.
"""
