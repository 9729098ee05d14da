"""The words of the cycle 网格发现 → 社区呼叫 → 街道统筹 → 分级响应 → 协同处置 → 核查结案, one row per state.

Members are never deleted, only retired: old cases and published events must stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a person sees first; follows from the state."""

    DISCOVERY = "discovery"  # 网格发现
    COMMUNITY_CALL = "community_call"  # 社区呼叫
    COORDINATION = "coordination"  # 街道统筹
    RESPONSE = "response"  # 分级响应
    DISPOSAL = "disposal"  # 协同处置
    CLOSING = "closing"  # 核查结案


class State(StrEnum):
    """The exact standing inside a stage. `draft` 草稿 lives on the device only and is no member."""

    REPORTED = "reported"  # 已上报待研判
    GRID_HANDLING = "grid_handling"  # 网格自办
    AT_COMMUNITY = "at_community"  # 已呼叫社区
    COMMUNITY_HANDLING = "community_handling"  # 社区处置
    AT_STREET = "at_street"  # 已呼叫街道待受理
    CONFIRMING = "confirming"  # 现场核实中
    FILED = "filed"  # 已立案待派遣
    DISPATCHED = "dispatched"  # 已派遣待响应
    HANDLING = "handling"  # 处置中
    DISPUTED = "disputed"  # 派单异议待裁定
    AT_DISTRICT = "at_district"  # 待区级应哨
    DISTRICT_HANDLING = "district_handling"  # 区级处置中
    FED_BACK = "fed_back"  # 已反馈待核查
    VERIFIED = "verified"  # 核查通过待结案/回访
    SUSPENDED = "suspended"  # 挂账
    CLOSED = "closed"  # 结案
    VOID = "void"  # 作废
    NOT_FILED = "not_filed"  # 不予立案（不予受理）
    MERGED = "merged"  # 并入
    ARCHIVED = "archived"  # 归档


class Tier(StrEnum):
    """Who owns the case now (层级)."""

    GRID = "T0"
    COMMUNITY = "T1"
    STREET = "T2"
    DISTRICT = "T3"


class Urgency(StrEnum):
    """Danger only; never decides wall or working time (紧急程度)."""

    CRITICAL = "U0"  # 特急
    URGENT = "U1"  # 紧急
    ORDINARY = "U2"  # 一般
    LONG_TERM = "U3"  # 长期


class Nature(StrEnum):
    """诉求性质."""

    COMPLAINT = "complaint"
    HELP = "help"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    THANKS = "thanks"


class Intent(StrEnum):
    """What a message to the platform asks: look (知会), or take over (吹哨)."""

    NOTICE = "notice"
    WHISTLE = "whistle"


class ClockKind(StrEnum):
    """Every allowance that runs; each has a ladder in the rulebook."""

    WHOLE = "whole"  # whole case, never reset
    GRID_RESPONSE = "t0_response"  # 研判
    GRID_DISPOSAL = "t0_disposal"
    COMMUNITY_RESPONSE = "t1_response"  # 应答
    COMMUNITY_DISPOSAL = "t1_disposal"
    STREET_ANSWER = "street_answer"  # 受理
    FILE = "file"  # 立案
    DISPATCH = "dispatch"  # 派遣
    RESPONSE = "response"  # 分级响应
    HANDLING = "handling"  # 处置
    RULING = "ruling"  # 裁定
    DISTRICT_RESPONSE = "district_response"  # 应哨
    DISTRICT_HANDLING = "district_handling"
    CONFIRM = "confirm"  # 核实
    VERIFY = "verify"  # 核查
    CLOSE = "close"  # 结案
    VISIT = "visit"  # 回访
    CO_TASK = "co_task"  # 协办
    REPLY = "reply"  # 咨询、建议
    RETURN_WINDOW = "return_window"  # 退单时限
    MORE = "more"  # 待补充
    REVIEW = "review"  # 挂账复查
    SUPERVISION = "supervision"  # 督办回复


class MachineRule(StrEnum):
    """What the machine may do by itself; a rulebook switches each on or off."""

    ASSIGN_BRANCH = "assign_branch"
    ALERT_URGENT = "alert_u01"
    CALL_UP_GRID = "auto_call_up_t0"
    CALL_UP_COMMUNITY = "auto_call_up_t1"
    PROPOSE_CLASS = "propose_class"
    DISPATCH = "auto_dispatch"
    SIGN = "auto_sign"
    CHECK_TASK = "check_task"
    LADDER = "ladder"
    RESUME_REVIEW = "resume_review"
    CLOSE = "auto_close"
    ARCHIVE = "archive_90d"


class ClosedKind(StrEnum):
    """How a case ended."""

    NORMAL = "normal"
    OVERDUE = "overdue"
    SELF = "self"  # 网格自办
    UNFOUNDED = "unfounded"  # 查无此情
    DECLINED = "declined"  # 不予受理
    ERROR = "error"
    SPECIAL = "special"
    RECORDED = "recorded"  # imported history keeps its own outcome


class Flag(StrEnum):
    """Marks beside the state; never states themselves."""

    OVERDUE = "overdue"
    URGED = "urged"
    SUPERVISED = "supervised"
    HARD = "hard"
    IN_CONFERENCE = "in_conference"
    ANSWERED = "answered"
    SIGNED = "signed"
    AWAITING_MORE = "awaiting_more"
    REWORK = "rework"
    RESTRICTED = "restricted"
    NO_RULE = "no_rule"  # filed, no catalogue line matched
    CROSS_BORDER = "cross_border"  # position outside every cell
    FORCED_CHOICE = "forced_choice"  # duty chief must act
    PLATFORM_NOTICED = "platform_noticed"
    DUE_SOON = "due_soon"
    ASKED_REPORTER = "asked_reporter"  # a question to the reporter stands unanswered
    AUDIT_SAMPLE = "audit_sample"  # to be looked at again by somebody else
    OVERDUE_EXEMPT = "overdue_exempt"  # late, and not by its own fault: decided on appeal


class Role(StrEnum):
    """Posts of people (岗位)."""

    REPORTER = "RP"
    GRID_WORKER = "GW"
    GRID_SECRETARY = "GS"
    COMMUNITY_SECRETARY = "CS"
    MEMBER_UNIT = "MU"
    INTAKE_CLERK = "IC"
    DISPATCHER = "DP"
    DUTY_CHIEF = "DC"
    HANDLING_UNIT = "HU"
    STREET_LEADER = "SL"
    STREET_COMMITTEE = "SC"
    VERIFIER = "VF"
    DISTRICT = "DI"
    EVALUATOR = "EV"
    ADMINISTRATOR = "AD"
    AUDITOR = "AU"


class Action(StrEnum):
    """What can be asked of a case. Ids are those of the label list."""

    REPORT = "report"
    SELF_RESOLVE_START = "self_resolve_start"
    SELF_RESOLVE_DONE = "self_resolve_done"
    CALL_UP = "call_up"
    AUTO_CALL_UP = "auto_call_up"
    CALL_UP_DIRECT = "call_up_direct"
    ANSWER = "answer"
    ASK_MORE = "ask_more"
    ADD_INFO = "add_info"
    ACCEPT = "accept"
    UNFOUNDED = "unfounded"
    SEND_DOWN = "send_down"
    CONFIRM_REQUEST = "confirm_request"
    CONFIRM_DONE = "confirm_done"
    FILE = "file"
    NOT_FILE = "not_file"
    DECLINE = "decline"
    RECLASSIFY = "reclassify"
    MERGE = "merge"
    UNMERGE = "unmerge"
    DISPATCH = "dispatch"
    REDISPATCH = "redispatch"
    NOTE = "note"
    ASK_REPORTER = "ask_reporter"
    ANSWER_QUESTION = "answer_question"
    FILE_DISPATCH = "file_dispatch"
    AUTO_DISPATCH = "auto_dispatch"
    SIGN = "sign"
    AUTO_SIGN = "auto_sign"
    RESPOND = "respond"
    RETURN = "return"
    RULE = "rule"
    ADD_CO = "add_co"
    DROP_CO = "drop_co"
    WAIVE = "waive"
    CO_DONE = "co_done"
    CALL_CONFERENCE = "call_conference"
    HOLD_CONFERENCE = "hold_conference"
    EXTEND_REQUEST = "extend_request"
    SUSPEND_REQUEST = "suspend_request"
    APPROVE = "approve"
    DENY = "deny"
    RESUME = "resume"
    WHISTLE = "whistle"
    ANSWER_WHISTLE = "answer_whistle"
    REFUSE = "refuse"
    FEEDBACK = "feedback"
    VERIFY_PASS = "verify_pass"  # noqa: S105 - an action, no password
    VERIFY_FAIL = "verify_fail"
    VISIT = "visit"
    SATISFACTION = "satisfaction"
    CLOSE = "close"
    REOPEN = "reopen"
    URGE = "urge"
    SUPERVISE = "supervise"
    REPLY_SUPERVISION = "reply_supervision"
    WITHDRAW = "withdraw"
    VOID = "void"
    APPEAL_OVERDUE = "appeal_overdue"
    ARCHIVE = "archive"
    RECALL = "recall"
    UNDO = "undo"
    CLAIM = "claim"
    DECLINE_OFFER = "decline_offer"
    NAME_MEDIATOR = "name_mediator"


class Before(StrEnum):
    """What a state remembers of the one it came from."""

    FORGET = "forget"
    LEFT = "left"  # the state just left: the case ended in its stage
    WORK = "work"  # the state in which the work was done, handed on through check, closing and suspension


@dataclass(frozen=True, slots=True)
class StateRow:
    """Everything fixed about one state. `owner` answers for it, first role first; `stage` None keeps the stage it came
    from; `tier` None keeps the tier."""

    state: State
    zh: str
    stage: Stage | None
    owner: tuple[Role, ...]
    live: bool  # still moving: counted in queues, clocks may run
    tier: Tier | None = None
    before: Before = Before.FORGET


_GW, _GS, _CS = Role.GRID_WORKER, Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY
_IC, _DP, _DC, _HU = Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF, Role.HANDLING_UNIT
_DI, _VF = Role.DISTRICT, Role.VERIFIER

_ROWS = (
    StateRow(State.REPORTED, "已上报待研判", Stage.DISCOVERY, (_GS, _GW), True, Tier.GRID),
    StateRow(State.GRID_HANDLING, "网格自办", Stage.DISCOVERY, (_GW, _GS), True, Tier.GRID),
    StateRow(State.AT_COMMUNITY, "已呼叫社区", Stage.COMMUNITY_CALL, (_CS,), True, Tier.COMMUNITY),
    StateRow(State.COMMUNITY_HANDLING, "社区处置", Stage.COMMUNITY_CALL, (_CS,), True, Tier.COMMUNITY),
    StateRow(State.AT_STREET, "已呼叫街道待受理", Stage.COORDINATION, (_IC, _DC), True, Tier.STREET),
    StateRow(State.CONFIRMING, "现场核实中", Stage.COORDINATION, (_GW,), True, Tier.STREET),
    StateRow(State.FILED, "已立案待派遣", Stage.COORDINATION, (_DP,), True, Tier.STREET),
    StateRow(State.DISPATCHED, "已派遣待响应", Stage.RESPONSE, (_HU,), True, Tier.STREET),
    StateRow(State.HANDLING, "处置中", Stage.DISPOSAL, (_HU,), True, Tier.STREET),
    StateRow(State.DISPUTED, "派单异议待裁定", Stage.COORDINATION, (_DC,), True, Tier.STREET),
    StateRow(State.AT_DISTRICT, "待区级应哨", Stage.RESPONSE, (_DI,), True, Tier.DISTRICT),
    StateRow(State.DISTRICT_HANDLING, "区级处置中", Stage.DISPOSAL, (_DI,), True, Tier.DISTRICT),
    StateRow(State.FED_BACK, "已反馈待核查", Stage.CLOSING, (_VF,), True, before=Before.WORK),
    StateRow(State.VERIFIED, "核查通过待结案/回访", Stage.CLOSING, (_DC, _CS, _VF), True, before=Before.WORK),
    StateRow(State.SUSPENDED, "挂账", None, (_DC,), True, before=Before.WORK),
    StateRow(State.CLOSED, "结案", Stage.CLOSING, (), False, before=Before.WORK),
    StateRow(State.VOID, "作废", None, (), False, before=Before.LEFT),
    StateRow(State.NOT_FILED, "不予立案（不予受理）", None, (), False, before=Before.LEFT),
    StateRow(State.MERGED, "并入", None, (), False, before=Before.LEFT),
    StateRow(State.ARCHIVED, "归档", Stage.CLOSING, (), False, before=Before.WORK),
)

CYCLE: Mapping[State, StateRow] = {row.state: row for row in _ROWS}
LIVE = frozenset(row.state for row in _ROWS if row.live)


def remembered(left: State, before: State | None, to: State) -> State | None:
    """What a case keeps as its state before, when it leaves `left` (which kept `before`) for `to`."""
    mode = CYCLE[to].before
    if mode is Before.FORGET:
        return None
    hands_on = CYCLE[left].before is Before.WORK and (mode is Before.WORK or CYCLE[left].stage is None)
    return before if hands_on else left


def stage_of_state(state: State, before: State | None) -> Stage:
    """The step a person sees. A state without a step of its own shows the one it came from."""
    own = CYCLE[state].stage
    if own is not None:
        return own
    came_from = CYCLE[before].stage if before is not None else None
    return came_from if came_from is not None else Stage.DISCOVERY
