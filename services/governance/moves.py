"""The transition table: every move there is, who may make it, what it asks for, which fact tells of it.

A move outside this table does not exist: `decide`, the offers on a screen, the diagram and the tables of the
documentation all read it. What a move does beyond the table is one function per row in `case`; what the machine may
do by itself is marked and names its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.governance.acts import FactKind, Input, InputType
from services.governance.cycle import LIVE, Action, MachineRule, Role, State


class Scope(StrEnum):
    """Over which cases a post counts."""

    OWN = "own"  # what the actor reported himself
    AREA = "area"  # cases of the post's grid, community or street
    STREET = "street"  # every case of the street
    LEAD = "lead"  # cases that the post's unit leads
    CO = "co"  # cases in which the post's unit has an open co-task
    TASK = "task"  # cases with a task for this person
    DISTRICT = "district"  # cases that stand at the district


@dataclass(frozen=True, slots=True)
class Grant:
    """A post that may make the move. `ask`: it only asks for it. `approve`: it decides what others ask for and does not
    do it unasked. `also`: and holds one of these."""

    role: Role
    scope: Scope
    ask: bool = False
    approve: bool = False
    also: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """One row. `targets` () keeps the state; several: the row's function chooses. `label` is the word's id; `asked` the
    fact where it is only asked for."""

    row: str
    action: Action
    sources: tuple[State, ...]
    targets: tuple[State, ...]
    who: tuple[Grant, ...]
    fact: FactKind
    inputs: tuple[Input, ...] = ()
    machine: tuple[MachineRule, ...] = ()
    primary: bool = False
    label: str = ""
    asked: FactKind = FactKind.PROPOSED

    @property
    def label_id(self) -> str:
        return self.label or self.action.value

    @property
    def doing(self) -> tuple[Grant, ...]:
        """Who does it of his own accord."""
        return tuple(g for g in self.who if not (g.ask or g.approve))

    @property
    def asking(self) -> tuple[Grant, ...]:
        """Who asks for it."""
        return tuple(g for g in self.who if g.ask)

    @property
    def deciding(self) -> tuple[Grant, ...]:
        """Who decides where it is asked for: who does it or approves it, but for the committee, which only advises, and
        the reporter, who speaks for himself alone."""
        return tuple(g for g in self.who if not g.ask and g.role is not _SC and g.scope is not Scope.OWN)


# --- reasons: ids of the label list ------------------------------------------------------------------------------
CALL_UP_REASONS = (
    "no_subordination",
    "no_supervision",
    "no_guidance",
    "no_enforcement",
    "no_means",
    "cross_community",
    "many_departments",
    "recurring",
)
SEND_DOWN_REASONS = ("lower_tier_duty", "not_tried_below")
BACK_REASONS = ("wrong_class", "not_street_matter", "not_enough_to_go_on")
REFUSAL_REASONS = ("not_street_matter", "not_enough_to_go_on", "already_settled", "court_or_petition")
RECLASSIFY_REASONS = ("wrong_class", "wrong_place", "situation_changed", "danger_changed")
DISPATCH_REASONS = ("no_line", "line_unfit", "on_duty", "first_receiver")
RETURN_REASONS = ("not_our_duty", "outside_our_area", "no_enforcement", "wrong_class")
DROP_REASONS = ("not_needed", "done_otherwise", "unit_unavailable")
EXTEND_REASONS = ("weather", "material", "larger_than_thought", "third_party")
SUSPEND_REASONS = ("weather", "legal_procedure", "funding", "third_party")
WHISTLE_KINDS = ("street_cannot", "joint_enforcement", "emergency")
WHISTLE_REFUSALS = ("not_district_duty", "street_can")
VERIFY_FAIL_REASONS = ("close_condition_unmet", "not_found_fixed", "evidence_doubtful")
REOPEN_REASONS = ("not_solved", "came_back")
WITHDRAW_REASONS = ("solved_itself", "mistaken", "other")
APPEAL_REASONS = ("weather", "third_party", "wrong_class", "late_handover")
MERGE_REASONS = ("same_matter", "other_source", "same_reporter")
UNMERGE_REASONS = ("other_matter", "wrong_master")
CONFERENCE_OUTCOMES = ("decided", "carried_over", "no_agreement")
SUPERVISE_KINDS = ("timeout", "leader", "important")
VOID_REASONS = ("wrong_class", "not_found_twice", "test_data")
EVERYDAY_ACTS = ("guan", "sao", "quan", "bang")
RESPONSE_MEANS = ("on_site", "phone", "remote")
VERIFY_MEANS = ("on_site", "reporter")
GRADES = ("satisfied", "fair", "dissatisfied", "not_reached")

# --- short hands --------------------------------------------------------------------------------------------------
_RP, _GW, _GS, _CS = Role.REPORTER, Role.GRID_WORKER, Role.GRID_SECRETARY, Role.COMMUNITY_SECRETARY
_MU, _IC, _DP, _DC = Role.MEMBER_UNIT, Role.INTAKE_CLERK, Role.DISPATCHER, Role.DUTY_CHIEF
_HU, _SL, _VF, _DI = Role.HANDLING_UNIT, Role.STREET_LEADER, Role.VERIFIER, Role.DISTRICT
_SC = Role.STREET_COMMITTEE

_AREA = {role: Grant(role, Scope.AREA) for role in (_GW, _GS, _CS)}
_STREET = {role: Grant(role, Scope.STREET) for role in (_IC, _DP, _DC, _SL, _SC, _VF)}
_OWN = Grant(_RP, Scope.OWN)
_STAFF_OWN = Grant(_GW, Scope.OWN)
_LEAD = (Grant(_HU, Scope.LEAD), Grant(_MU, Scope.LEAD))
_CO = (Grant(_HU, Scope.CO), Grant(_MU, Scope.CO))
_DISTRICT = Grant(_DI, Scope.DISTRICT)
_CHECK = (_STREET[_VF], Grant(_GW, Scope.TASK), Grant(_GS, Scope.TASK), *_AREA.values())


def _by(*roles: Role) -> tuple[Grant, ...]:
    return tuple(_AREA.get(role) or _STREET[role] for role in roles)


def _ask(*grants: Grant) -> tuple[Grant, ...]:
    return tuple(replace(grant, ask=True) for grant in grants)


def _approve(*roles: Role) -> tuple[Grant, ...]:
    return tuple(replace(grant, approve=True) for grant in _by(*roles))


def _need(name: str, kind: InputType, choices: tuple[str, ...] = ()) -> Input:
    return Input(name, kind, required=True, choices=choices)


def _may(name: str, kind: InputType, choices: tuple[str, ...] = ()) -> Input:
    return Input(name, kind, required=False, choices=choices)


def _reason(choices: tuple[str, ...]) -> Input:
    return _need("reason", InputType.CHOICE, choices)


_NOTE = _need("note", InputType.TEXT)
_MAY_NOTE = _may("note", InputType.TEXT)
_MAY_EVIDENCE = _may("evidence", InputType.EVIDENCE)
_MAY_CO = _may("co_units", InputType.UNITS)
_URGENCY = _may("urgency", InputType.CHOICE, ("U0", "U1", "U2", "U3"))
_CLASS = (_may("category", InputType.CATEGORY), _need("condition", InputType.CONDITION), _URGENCY)
_RECLASS = (
    _reason(RECLASSIFY_REASONS),
    _may("category", InputType.CATEGORY),
    _may("condition", InputType.CONDITION),
    _URGENCY,
    _may("cell", InputType.CELL),
)
_UNITS = (_need("lead_unit", InputType.UNIT), _MAY_CO, _may("reason", InputType.CHOICE, DISPATCH_REASONS), _MAY_NOTE)
_DISTRICT_RESULT = (_MAY_NOTE, _need("close_condition_met", InputType.FLAG), _MAY_EVIDENCE)
_EXTENSION = (_reason(EXTEND_REASONS), _NOTE)
_SUSPENSION = (_reason(SUSPEND_REASONS), _NOTE, _need("until", InputType.DATETIME))
_RESULT = (_NOTE, _need("close_condition_met", InputType.FLAG), _MAY_EVIDENCE)

# One move to a row: formatted as calls, the table could not be read as one.
# fmt: off
S, A, F = State, Action, FactKind
_BEFORE_DISPATCH = (S.REPORTED, S.GRID_HANDLING, S.AT_COMMUNITY, S.COMMUNITY_HANDLING, S.AT_STREET, S.CONFIRMING,
                    S.FILED)
_JOINT = (S.COMMUNITY_HANDLING, S.DISPATCHED, S.HANDLING, S.DISTRICT_HANDLING)
_ACTIVE = tuple(state for state in State if state in LIVE)
_FROM_FILED = tuple(s for s in _ACTIVE if s not in _BEFORE_DISPATCH or s is S.FILED)

_DISCOVERY = (
    Move("1", A.REPORT, (), (S.REPORTED,), (), F.REPORTED),
    Move("2", A.SELF_RESOLVE_START, (S.REPORTED,), (S.GRID_HANDLING,), _by(_GS, _GW), F.SELF_RESOLVING, (_MAY_NOTE,)),
    Move("3", A.SELF_RESOLVE_DONE, (S.GRID_HANDLING,), (S.CLOSED,), _by(_GW, _GS, _CS), F.SELF_RESOLVED,
         (_need("means", InputType.CHOICE, EVERYDAY_ACTS), _NOTE, _MAY_EVIDENCE), primary=True),
    Move("4", A.CALL_UP, (S.REPORTED, S.GRID_HANDLING), (S.AT_COMMUNITY,), (*_by(_GS, _GW), *_ask(*_by(_GW))), F.CALLED,
         (_reason(CALL_UP_REASONS), _MAY_NOTE), primary=True, label="call_up@community"),
    Move("4b", A.AUTO_CALL_UP, (S.REPORTED, S.AT_COMMUNITY), (S.AT_COMMUNITY, S.AT_STREET), (), F.CALLED,
         machine=(MachineRule.CALL_UP_GRID, MachineRule.CALL_UP_COMMUNITY, MachineRule.ASSIGN_BRANCH)),
    Move("5", A.CALL_UP_DIRECT, (S.REPORTED, S.GRID_HANDLING, S.AT_COMMUNITY, S.COMMUNITY_HANDLING), (S.AT_STREET,), (),
         F.CALLED, machine=(MachineRule.ALERT_URGENT,)),
)
_CALLS = (
    Move("5b", A.ANSWER, (S.AT_COMMUNITY,), (), _by(_CS), F.ANSWERED, (_MAY_NOTE,), primary=True,
         label="answer@community"),
    Move("5b.street", A.ANSWER, (S.AT_STREET,), (), _by(_IC, _DC), F.ANSWERED, (_MAY_NOTE,), primary=True,
         label="answer@street"),
    Move("5c", A.ASK_MORE, (S.REPORTED,), (), _by(_GS), F.MORE_ASKED, (_NOTE,)),
    Move("5c.community", A.ASK_MORE, (S.AT_COMMUNITY,), (), _by(_CS), F.MORE_ASKED, (_NOTE,)),
    Move("5c.street", A.ASK_MORE, (S.AT_STREET,), (), _by(_IC, _DC), F.MORE_ASKED, (_NOTE,)),
    Move("5c.answer", A.ADD_INFO, (S.REPORTED, S.AT_COMMUNITY, S.AT_STREET), (), (_OWN, *_by(_GW, _GS, _CS)),
         F.MORE_GIVEN, (_NOTE, _MAY_EVIDENCE)),
    Move("6", A.ACCEPT, (S.AT_COMMUNITY,), (S.COMMUNITY_HANDLING,), _by(_CS), F.ACCEPTED, (_MAY_CO, _MAY_NOTE),
         primary=True),
    Move("6b", A.UNFOUNDED, (S.AT_COMMUNITY,), (S.CLOSED,), _by(_CS), F.UNFOUNDED,
         (_NOTE, _need("evidence", InputType.EVIDENCE))),
    Move("7", A.CALL_UP, (S.AT_COMMUNITY, S.COMMUNITY_HANDLING), (S.AT_STREET,), _by(_CS), F.CALLED,
         (_reason(CALL_UP_REASONS), _NOTE, _may("kind", InputType.TEXT)), label="call_up@street"),
    Move("8", A.SEND_DOWN, (S.AT_COMMUNITY,), (S.REPORTED,), _by(_CS), F.SENT_DOWN,
         (_reason(SEND_DOWN_REASONS), _MAY_NOTE), label="send_down@grid"),
    Move("8.street", A.SEND_DOWN, (S.AT_STREET,), (S.AT_COMMUNITY,), _by(_IC, _DC), F.SENT_DOWN,
         (_reason(SEND_DOWN_REASONS), _MAY_NOTE), label="send_down@community"),
    Move("9", A.FEEDBACK, (S.COMMUNITY_HANDLING,), (S.FED_BACK,), _by(_CS), F.FED_BACK, _RESULT, primary=True),
)
_COORDINATION = (
    Move("10", A.CONFIRM_REQUEST, (S.AT_STREET,), (S.CONFIRMING,), _by(_IC, _DC), F.CONFIRM_REQUESTED,
         (_NOTE, _may("person", InputType.PERSON))),
    Move("11", A.CONFIRM_DONE, (S.CONFIRMING,), (S.AT_STREET,),
         (Grant(_GW, Scope.TASK), Grant(_GS, Scope.TASK), Grant(_VF, Scope.TASK), *_by(_GW, _GS)), F.CONFIRMED,
         (_NOTE, _need("evidence", InputType.EVIDENCE)), primary=True),
    Move("12", A.FILE, (S.AT_STREET,), (S.FILED,), (*_by(_DC), *_ask(*_by(_IC))), F.FILED, _CLASS,
         primary=True),
    Move("12b", A.RECLASSIFY, (S.REPORTED, S.GRID_HANDLING), (S.REPORTED, S.GRID_HANDLING, S.AT_STREET), _by(_GS),
         F.RECLASSIFIED, _RECLASS),
    Move("12b.community", A.RECLASSIFY, (S.AT_COMMUNITY, S.COMMUNITY_HANDLING),
         (S.AT_COMMUNITY, S.COMMUNITY_HANDLING, S.AT_STREET), _by(_CS), F.RECLASSIFIED, _RECLASS),
    Move("12b.street", A.RECLASSIFY,
         (S.AT_STREET, S.CONFIRMING, S.FILED, S.DISPATCHED, S.HANDLING, S.DISPUTED, S.AT_DISTRICT, S.DISTRICT_HANDLING),
         (), (*_by(_IC, _DP, _DC), *_ask(_LEAD[0])), F.RECLASSIFIED, _RECLASS),
    Move("13", A.NOT_FILE, (S.AT_STREET,), (S.NOT_FILED,), (*_by(_DC), *_ask(*_by(_IC))), F.NOT_FILED,
         (_reason(REFUSAL_REASONS), _NOTE)),
    Move("13b", A.DECLINE, (S.AT_STREET,), (S.NOT_FILED,), _by(_IC, _DC), F.DECLINED,
         (_reason(REFUSAL_REASONS), _NOTE)),
    Move("13c", A.CALL_UP, (S.NOT_FILED,), (S.AT_STREET,), (_OWN, *_by(_CS, _GS)), F.CALLED, (_NOTE,),
         label="call_up@again"),
    Move("14", A.MERGE, _ACTIVE, (S.MERGED,), (*_by(_IC, _DP, _DC), *_ask(*_by(_GW, _GS, _CS))), F.MERGED,
         (_need("master", InputType.CASE_NO), _may("reason", InputType.CHOICE, MERGE_REASONS), _MAY_NOTE)),
    Move("14.undo", A.UNMERGE, (S.MERGED,), _ACTIVE, (*_by(_IC, _DP, _DC), *_ask(*_by(_GW, _GS, _CS))), F.UNMERGED,
         (_reason(UNMERGE_REASONS), _MAY_NOTE)),
    Move("15", A.DISPATCH, (S.FILED,), (S.DISPATCHED,), (*_by(_DP, _DC), *_ask(*_by(_SL))), F.DISPATCHED, _UNITS,
         primary=True),
    Move("15b", A.FILE_DISPATCH, (S.AT_STREET,), (S.DISPATCHED,), (Grant(_DP, Scope.STREET, also=(_IC, _DC)),),
         F.DISPATCHED, (*_CLASS, *_UNITS), primary=True),
    Move("15c", A.AUTO_DISPATCH, (S.AT_STREET,), (S.DISPATCHED,), (), F.DISPATCHED, machine=(MachineRule.DISPATCH,)),
    Move("19", A.RULE, (S.DISPUTED,), (S.DISPATCHED,), (*_by(_DC, _SL), *_ask(*_by(_DP))), F.RULED,
         (_need("lead_unit", InputType.UNIT), _MAY_CO, _NOTE), primary=True),
)
_RESPONSE = (
    Move("16", A.SIGN, (S.DISPATCHED,), (), _LEAD, F.SIGNED, (), primary=True),
    Move("16b", A.RESPOND, (S.DISPATCHED,), (S.HANDLING,), _LEAD, F.RESPONDED,
         (_need("means", InputType.CHOICE, RESPONSE_MEANS), _MAY_NOTE), primary=True),
    Move("17", A.AUTO_SIGN, (S.DISPATCHED,), (), (), F.SIGNED, machine=(MachineRule.SIGN,)),
    Move("18", A.RETURN, (S.DISPATCHED,), (S.FILED, S.DISPUTED), _LEAD, F.RETURNED,
         (_reason(RETURN_REASONS), _NOTE, _need("suggested_unit", InputType.UNIT))),
    Move("18.back", A.SEND_DOWN, (S.FILED,), (S.AT_STREET,), _by(_DP), F.SENT_DOWN, (_reason(BACK_REASONS), _NOTE),
         label="send_down@intake"),
    Move("26", A.ANSWER_WHISTLE, (S.AT_DISTRICT,), (S.DISTRICT_HANDLING,), (_DISTRICT, *_by(_DP, _DC)),
         F.WHISTLE_ANSWERED, (_MAY_NOTE,), primary=True),
    Move("27", A.REFUSE, (S.AT_DISTRICT,), (S.FILED,), (_DISTRICT, *_by(_DP, _DC)), F.WHISTLE_REFUSED,
         (_may("reason", InputType.CHOICE, WHISTLE_REFUSALS), _NOTE)),
)
_DISPOSAL = (
    Move("20", A.ADD_CO, _JOINT, (), (*_LEAD, *_by(_CS, _DP, _DC), _DISTRICT), F.CO_ADDED,
         (_need("co_units", InputType.UNITS), _may("until", InputType.DATETIME), _MAY_NOTE)),
    Move("20.drop", A.DROP_CO, _JOINT, (), (*_LEAD, *_by(_CS, _DP, _DC), _DISTRICT), F.CO_DROPPED,
         (_need("task", InputType.TASK), _reason(DROP_REASONS))),
    Move("20.waive", A.WAIVE, _JOINT, (), _by(_DC), F.CO_WAIVED,
         (_need("task", InputType.TASK), _reason(DROP_REASONS))),
    Move("20.claim", A.CLAIM, _JOINT, (), (_CO[1],), F.CO_CLAIMED, (_may("task", InputType.TASK), _MAY_NOTE),
         primary=True),
    Move("20.done", A.CO_DONE, _JOINT, (), _CO, F.CO_DONE, (_NOTE, _may("task", InputType.TASK), _MAY_EVIDENCE),
         primary=True),
    Move("20.decline", A.DECLINE_OFFER, _JOINT, (), (_CO[1], *_ask(_CO[0]), *_approve(_CS, _DP, _DC)), F.CO_DROPPED,
         (_may("task", InputType.TASK), _MAY_NOTE)),
    Move("21", A.CALL_CONFERENCE, (S.COMMUNITY_HANDLING, S.HANDLING, S.DISTRICT_HANDLING), (),
         (*_by(_CS, _DP, _DC, _SL, _SC), *_ask(*_LEAD, *_by(_GS), _DISTRICT)), F.CONFERENCE_CALLED,
         (_NOTE, _need("co_units", InputType.UNITS), _may("until", InputType.DATETIME))),
    Move("21.held", A.HOLD_CONFERENCE, (S.COMMUNITY_HANDLING, S.HANDLING, S.DISTRICT_HANDLING), (),
         _by(_CS, _DP, _DC, _SL, _SC), F.CONFERENCE_HELD,
         (_reason(CONFERENCE_OUTCOMES), _NOTE, _MAY_CO, _may("until", InputType.DATETIME))),
    Move("22", A.EXTEND_REQUEST, (S.HANDLING,), (), (*_ask(*_LEAD), *_approve(_DP, _DC)), F.EXTENDED, _EXTENSION,
         asked=F.EXTENSION_REQUESTED),
    Move("22.community", A.EXTEND_REQUEST, (S.COMMUNITY_HANDLING,), (), (*_ask(*_by(_CS)), *_approve(_DP, _DC)),
         F.EXTENDED, _EXTENSION, asked=F.EXTENSION_REQUESTED),
    Move("22.district", A.EXTEND_REQUEST, (S.DISTRICT_HANDLING,), (), (*_ask(_DISTRICT), *_approve(_DP, _DC)),
         F.EXTENDED, _EXTENSION, asked=F.EXTENSION_REQUESTED),
    Move("23", A.SUSPEND_REQUEST, (S.HANDLING,), (S.SUSPENDED,), (*_ask(_LEAD[0], *_by(_DP)), *_approve(_DC, _SL)),
         F.SUSPENDED, _SUSPENSION, asked=F.SUSPENSION_REQUESTED),
    Move("23.community", A.SUSPEND_REQUEST, (S.COMMUNITY_HANDLING,), (S.SUSPENDED,),
         (*_ask(*_by(_CS, _DP)), *_approve(_DC, _SL)), F.SUSPENDED, _SUSPENSION, asked=F.SUSPENSION_REQUESTED),
    Move("23.district", A.SUSPEND_REQUEST, (S.DISTRICT_HANDLING,), (S.SUSPENDED,),
         (*_ask(_DISTRICT, *_by(_DP)), *_approve(_DC, _SL)), F.SUSPENDED, _SUSPENSION, asked=F.SUSPENSION_REQUESTED),
    Move("24", A.RESUME, (S.SUSPENDED,), (S.COMMUNITY_HANDLING, S.HANDLING, S.DISTRICT_HANDLING),
         (*_by(_DC), *_ask(_LEAD[0], *_by(_CS, _DP), _DISTRICT)), F.RESUMED, (_MAY_NOTE,), primary=True),
    Move("25", A.WHISTLE, (S.FILED, S.HANDLING), (S.AT_DISTRICT,), (*_by(_DC), *_ask(*_by(_DP, _DC)), *_approve(_SL)),
         F.ESCALATED, (_need("kind", InputType.CHOICE, WHISTLE_KINDS), _NOTE), asked=F.WHISTLE_REQUESTED),
    Move("28", A.FEEDBACK, (S.HANDLING,), (S.FED_BACK,), _LEAD, F.FED_BACK, _RESULT, primary=True),
    Move("28.district", A.FEEDBACK, (S.DISTRICT_HANDLING,), (S.FED_BACK,), (_DISTRICT, *_by(_DP, _DC)), F.FED_BACK,
         _DISTRICT_RESULT, primary=True),
    Move("38c", A.REDISPATCH, (S.DISPATCHED, S.HANDLING), (S.DISPATCHED,), (*_by(_DP, _DC), *_ask(*_by(_SL))),
         F.REDISPATCHED,
         (_need("lead_unit", InputType.UNIT), _MAY_CO, _reason(DISPATCH_REASONS), _MAY_NOTE)),
)
_CLOSING = (
    Move("29", A.VERIFY_PASS, (S.FED_BACK,), (S.VERIFIED,), _CHECK, F.VERIFIED,
         (_need("means", InputType.CHOICE, VERIFY_MEANS), _MAY_NOTE, _MAY_EVIDENCE), primary=True),
    Move("30", A.VERIFY_FAIL, (S.FED_BACK,), (S.COMMUNITY_HANDLING, S.HANDLING, S.DISTRICT_HANDLING),
         _CHECK, F.VERIFY_FAILED,
         (_reason(VERIFY_FAIL_REASONS), _NOTE, _need("evidence", InputType.EVIDENCE))),
    Move("31", A.VISIT, (S.VERIFIED, S.CLOSED), (), _by(_VF), F.VISITED,
         (_need("grade", InputType.GRADE, GRADES), _MAY_NOTE), primary=True),
    Move("31.rate", A.SATISFACTION, (S.FED_BACK, S.VERIFIED, S.CLOSED), (), (_OWN,), F.VISITED,
         (_need("grade", InputType.GRADE, GRADES), _MAY_NOTE)),
    Move("32", A.CLOSE, (S.VERIFIED,), (S.CLOSED,), (*_by(_DC, _CS), *_ask(*_by(_VF), _DISTRICT)), F.CLOSED,
         (_MAY_NOTE,), machine=(MachineRule.CLOSE,), primary=True),
    Move("33", A.REOPEN, (S.CLOSED,),
         (S.REPORTED, S.GRID_HANDLING, S.AT_COMMUNITY, S.COMMUNITY_HANDLING, S.HANDLING, S.DISTRICT_HANDLING, S.FILED),
         (_OWN, *_by(_DC), *_ask(*_by(_VF), _DISTRICT)), F.REOPENED,
         (_may("reason", InputType.CHOICE, REOPEN_REASONS), _NOTE,
          _may("kind", InputType.CHOICE, ("same_unit", "other_unit")), _MAY_EVIDENCE)),
)
_ANY_TIME = (
    Move("34", A.URGE, _ACTIVE, (), (_OWN, *_by(_GW, _GS, _CS, _IC, _DP, _DC, _SL, _VF), _CO[0], _DISTRICT), F.URGED,
         (_MAY_NOTE,)),
    Move("35", A.SUPERVISE, _ACTIVE, (), (*_by(_DC, _SL), _DISTRICT, *_ask(*_by(_DP))), F.SUPERVISED,
         (_NOTE, _need("until", InputType.DATETIME), _may("kind", InputType.CHOICE, SUPERVISE_KINDS))),
    Move("35.reply", A.REPLY_SUPERVISION, _ACTIVE, (), (*_LEAD, *_by(_GS, _CS, _IC, _DP), _DISTRICT),
         F.SUPERVISION_ANSWERED, (_NOTE, _MAY_EVIDENCE)),
    Move("36", A.WITHDRAW, _BEFORE_DISPATCH, (S.VOID,),
         (_OWN, _STAFF_OWN, Grant(_GS, Scope.OWN), Grant(_CS, Scope.OWN)), F.WITHDRAWN,
         (_may("reason", InputType.CHOICE, WITHDRAW_REASONS), _MAY_NOTE)),
    Move("37", A.VOID, (S.AT_STREET, *_FROM_FILED), (S.VOID,), (*_ask(*_by(_CS, _IC, _DP, _DC)), *_approve(_DC)),
         F.VOIDED, (_reason(VOID_REASONS), _NOTE), asked=F.VOID_REQUESTED),
    Move("38", A.APPEAL_OVERDUE, (S.CLOSED,), (), (*_ask(_LEAD[0], *_by(_CS), _DISTRICT), *_approve(_DP, _IC)),
         F.EXEMPTED, (_reason(APPEAL_REASONS), _NOTE, _MAY_EVIDENCE), asked=F.APPEALED),
    Move("38b", A.NOTE, _ACTIVE, (), (_OWN, *_by(_GW, _GS, _CS, _IC, _DP, _DC, _SL, _VF), *_LEAD, *_CO, _DISTRICT),
         F.NOTED, (_NOTE, _MAY_EVIDENCE)),
    Move("38b.ask", A.ASK_REPORTER, _ACTIVE, (),
         (*_by(_GW, _GS, _CS, _IC, _DP, _DC, _SL, _VF), *_LEAD, *_CO, _DISTRICT), F.REPORTER_ASKED, (_NOTE,)),
    Move("38b.answer", A.ANSWER_QUESTION, _ACTIVE, (), (_OWN,), F.REPORTER_ANSWERED, (_NOTE, _MAY_EVIDENCE)),
    Move("39", A.ARCHIVE, (S.CLOSED,), (S.ARCHIVED,), (), F.ARCHIVED, machine=(MachineRule.ARCHIVE,)),
    Move("40", A.RECALL, (*_ACTIVE, S.CLOSED),
         (S.REPORTED, S.GRID_HANDLING, S.AT_COMMUNITY, S.COMMUNITY_HANDLING, S.AT_STREET, S.CONFIRMING, S.FED_BACK,
          S.VERIFIED, S.SUSPENDED),
         (*_by(_GW, _GS, _CS, _IC, _DP, _DC, _VF), _LEAD[0], _DISTRICT), F.RECALLED,
         (_may("urgency", InputType.CHOICE, ("U2", "U3")), _MAY_NOTE)),
    Move("40.undo", A.UNDO, (*_ACTIVE, S.CLOSED), _ACTIVE,
         (*_by(_GW, _GS, _CS, _IC, _DP, _DC, _SL, _VF), *_LEAD, *_CO, _DISTRICT), F.UNDONE, (_MAY_NOTE,)),
    Move("41", A.NAME_MEDIATOR, _ACTIVE, (), (*_by(_GS, _CS, _IC, _DP, _DC, _SL), *_LEAD), F.MEDIATOR_NAMED,
         (_need("person", InputType.PERSON),)),
)

_OF_PEOPLE = (*_DISCOVERY, *_CALLS, *_COORDINATION, *_RESPONSE, *_DISPOSAL, *_CLOSING, *_ANY_TIME)
_ASKED = tuple(move for move in _OF_PEOPLE if move.asking)
_DECIDERS = tuple(dict.fromkeys(replace(grant, approve=False) for move in _ASKED for grant in move.deciding))
_WHILE_ASKED = tuple(dict.fromkeys(state for move in _ASKED for state in move.sources))
_AFTER = tuple(dict.fromkeys((*_WHILE_ASKED, *(state for move in _ASKED for state in move.targets))))
_DECISIONS = (
    Move("22.approve", A.APPROVE, _WHILE_ASKED, _AFTER, _DECIDERS, F.EXTENDED,
         (_may("request", InputType.CHOICE), _MAY_NOTE)),
    Move("22.deny", A.DENY, _WHILE_ASKED, (), _DECIDERS, F.REQUEST_DENIED, (_may("request", InputType.CHOICE), _NOTE)),
)
MOVES: tuple[Move, ...] = (*_OF_PEOPLE, *_DECISIONS)

# fmt: on


def required(move: Move) -> tuple[Input, ...]:
    """The fields that must be filled in."""
    return tuple(field for field in move.inputs if field.required)


def _by_state(moves: Iterable[Move]) -> Mapping[State, tuple[Move, ...]]:
    """Moves that a person can make from each state, those of the main road first."""
    people = [m for m in moves if m.who]
    ordered = sorted(people, key=lambda m: not m.primary)
    return {state: tuple(m for m in ordered if state in m.sources) for state in State}


BY_STATE = _by_state(MOVES)
BY_STEP: Mapping[tuple[Action, State], Move] = {(m.action, s): m for s, moves in BY_STATE.items() for m in moves}
GRANTS: Mapping[Action, tuple[Grant, ...]] = {
    action: tuple(dict.fromkeys(g for m in MOVES if m.action is action for g in (*m.doing, *m.asking)))
    for action in Action
}
ROWS: Mapping[str, Move] = {m.row: m for m in MOVES}
