"""What the product reaches, each figure beside something bare that ran in the same minutes on the same machine.

`python -m tests.bench [NAME …]` writes bench/latest.json, one entry per figure. A ratio is the median of ratios of
alternated runs; nothing here is asserted, because a shared machine can be twice as slow a minute later.
"""
