"""Pictures from outside: made anew by a confined child process before anybody else opens them, and kept.

- `workshop` starts the children, `sanitise` is what a child runs, `confine` what is taken away from it
- `likeness` tells whether two pictures look the same
- `store` says what a place for finished pictures can do; `folder` and `bucket` are the two there are; `settings`
  chooses
- `shelf` names and removes files in a folder

Nothing is imported here: a child would pay for it with every picture.
"""
