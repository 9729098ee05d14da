"""The rules. Standard library only: no clock, no input or output, no framework.

A case walks 网格发现 → 社区呼叫 → 街道统筹 → 分级响应 → 协同处置 → 核查结案.
`decide` says what happens to it, as facts; `evolve` applies a fact; no fact, no change.
Which moves exist is one table (`moves`); how long they may take and who gets the work is a street's `Rulebook`.
Lateness raises who must look; the owner moves only by a call or by a whistle that a person signs.

Read in this order: cycle · acts · errors · worktime · tiers · routing · rulebook · sla · moves · case.
"""
