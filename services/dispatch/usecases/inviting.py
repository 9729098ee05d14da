"""Who may be given a link that signs him in. Pure.

Such a link is as good as a password, so nobody makes one for a post that he could not lend: an administrator for
everybody of his street but his own kind and the auditor, a duty chief for the posts below his.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.chassis.directory import Appointment, Directory
from services.dispatch.usecases.lending import covers


def may_invite(held: Sequence[Appointment], of_person: Sequence[Appointment], directory: Directory) -> bool:
    """Whether the holder of `held` could lend every post that the person has."""
    return bool(of_person) and all(
        any(covers(own.post, theirs.post, directory) for own in held) for theirs in of_person
    )
