"""How the existing platforms speak: one file a dialect, chosen per endpoint.

- `base`: what a dialect owns (body, authentication, what counts as accepted, call-backs) and what it is given
- `native`: CloudEvents JSON, signed after Standard Webhooks
- `city_form`: the form-encoded record of a 数字城管 platform, its words in `city_form.toml`
- `known`: those there are

A new one is a class with an example under `examples/`, and a line in `known`.
"""
