"""What each row of the transition table does, and when it may: the row's id names its function and its guards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from services.governance.acts import Actor, ActorRef, Request
from services.governance.case import (
    anytime,
    calling,
    closing,
    coordination,
    cotasks,
    mediation,
    merging,
    proposals,
    requests,
)
from services.governance.case.machine import alert, auto_dispatch, settle
from services.governance.case.model import Case
from services.governance.case.permits import permit
from services.governance.case.turn import Turn
from services.governance.errors import GovernanceError, NotPermitted
from services.governance.moves import ROWS, Grant, Move
from services.governance.rulebook import Rulebook
from services.governance.tiers import is_urgent

Effect = Callable[[Turn, Actor], None]
Guard = Callable[[Case, Rulebook, datetime, Actor], None]


def _plain(effect: Callable[[Turn], None]) -> Effect:
    def act(turn: Turn, _actor: Actor) -> None:
        effect(turn)

    return act


def _calls_street(effect: Callable[[Turn], None]) -> Effect:
    """What arrives at the street is dispatched by the machine where the rulebook lets it."""

    def act(turn: Turn, _actor: Actor) -> None:
        effect(turn)
        auto_dispatch(turn)

    return act


def _reclassify(turn: Turn, _actor: Actor) -> None:
    """New danger goes up at once, in the same commit."""
    coordination.reclassify(turn)
    if is_urgent(turn.case.urgency):
        alert(turn)


def _unmerge(turn: Turn, _actor: Actor) -> None:
    """What its clocks have passed meanwhile is acted on at once."""
    merging.unmerge(turn)
    settle(turn, turn.at)


def _whistle(turn: Turn, actor: Actor) -> None:
    """What is no emergency is signed by a leader, whoever blows."""
    if turn.granting is None and turn.inputs.kind != "emergency":
        ask(turn, ROWS["25"], actor)
    else:
        requests.whistle(turn)


def _approve(turn: Turn, actor: Actor) -> None:
    proposals.approve(turn, actor, carry_out)


EFFECTS: Mapping[str, Effect] = {
    "2": _plain(calling.self_resolve_start),
    "3": _plain(calling.self_resolve_done),
    "4": _plain(calling.call_community),
    "5b": _plain(calling.answer_community),
    "5b.street": _plain(calling.answer_street),
    "5c": _plain(calling.ask_more),
    "5c.community": _plain(calling.ask_more),
    "5c.street": _plain(calling.ask_more),
    "5c.answer": _plain(calling.add_info),
    "6": _plain(calling.accept),
    "6b": _plain(calling.unfounded),
    "7": _calls_street(calling.call_street),
    "8": _plain(calling.send_to_grid),
    "8.street": _plain(calling.send_to_community),
    "9": _plain(closing.feedback),
    "10": _plain(coordination.confirm_request),
    "11": _plain(coordination.confirm_done),
    "12": _plain(coordination.file),
    "12b": _reclassify,
    "12b.community": _reclassify,
    "12b.street": _reclassify,
    "13": _plain(coordination.not_file),
    "13b": _plain(coordination.decline),
    "13c": _plain(calling.call_again),
    "14": _plain(merging.merge),
    "14.undo": _unmerge,
    "15": _plain(coordination.dispatch),
    "15b": _plain(coordination.file_dispatch),
    "16": _plain(coordination.sign),
    "16b": _plain(coordination.respond),
    "18": _plain(coordination.return_case),
    "18.back": _plain(coordination.send_to_intake),
    "19": _plain(coordination.rule),
    "20": _plain(cotasks.add_co),
    "20.drop": _plain(cotasks.drop_co),
    "20.waive": _plain(cotasks.waive),
    "20.claim": cotasks.claim,
    "20.done": cotasks.co_done,
    "20.decline": cotasks.decline_offer,
    "21": _plain(anytime.call_conference),
    "21.held": _plain(anytime.hold_conference),
    "22": _plain(requests.extend),
    "22.community": _plain(requests.extend),
    "22.district": _plain(requests.extend),
    "22.approve": _approve,
    "22.deny": proposals.deny,
    "23": _plain(requests.suspend),
    "23.community": _plain(requests.suspend),
    "23.district": _plain(requests.suspend),
    "24": _plain(requests.resume),
    "25": _whistle,
    "26": _plain(requests.answer_whistle),
    "27": _plain(requests.refuse_whistle),
    "28": _plain(closing.feedback),
    "28.district": _plain(closing.feedback),
    "29": _plain(closing.verify_pass),
    "30": _plain(closing.verify_fail),
    "31": _plain(closing.visit),
    "31.rate": _plain(closing.rate),
    "32": _plain(closing.close),
    "33": _plain(closing.reopen),
    "34": _plain(anytime.urge),
    "35": _plain(anytime.supervise),
    "35.reply": _plain(anytime.reply),
    "36": _plain(anytime.withdraw),
    "37": _plain(requests.void),
    "38": _plain(requests.exempt),
    "38b": _plain(anytime.note),
    "38b.ask": _plain(anytime.ask_reporter),
    "38b.answer": _plain(anytime.answer_question),
    "38c": _plain(coordination.redispatch),
    "40": _plain(anytime.recall),
    "40.undo": _plain(anytime.undo),
    "41": _plain(mediation.name_mediator),
}

# A guard raises; an offer is made only where none does. What depends on the inputs is checked by the effect.
GUARDS: Mapping[str, tuple[Guard, ...]] = {
    "2": (calling.not_urgent, calling.not_hard),
    "3": (calling.not_urgent, calling.settled),
    "4": (calling.has_community,),
    "5b": (calling.unanswered,),
    "5b.street": (calling.unanswered,),
    "5c": (calling.may_ask_more,),
    "5c.community": (calling.may_ask_more,),
    "5c.street": (calling.may_ask_more,),
    "5c.answer": (calling.more_was_asked,),
    "6b": (calling.settled,),
    "8": (calling.may_send_down,),
    "8.street": (calling.may_send_down,),
    "9": (closing.co_tasks_done,),
    "13": (calling.settled,),
    "13b": (calling.settled,),
    "13c": (calling.may_call_again,),
    "14": (calling.settled,),
    "14.undo": (merging.may_unmerge,),
    "16": (coordination.unsigned,),
    "18": (coordination.inside_window,),
    "18.back": (coordination.came_back,),
    "20.drop": (cotasks.has_co_task,),
    "20.waive": (cotasks.has_co_task,),
    "21": (anytime.not_in_conference,),
    "21.held": (anytime.in_conference,),
    "22": (requests.may_extend,),
    "22.community": (requests.may_extend,),
    "22.district": (requests.may_extend,),
    "22.approve": (proposals.some_decidable,),
    "22.deny": (proposals.some_decidable,),
    "23": (requests.may_suspend,),
    "23.community": (requests.may_suspend,),
    "23.district": (requests.may_suspend,),
    "25": (requests.may_whistle,),
    "28": (closing.co_tasks_done,),
    "28.district": (closing.co_tasks_done,),
    "29": (closing.may_pass,),
    "30": (closing.may_fail,),
    "32": (closing.can_close,),
    "33": (closing.can_reopen,),
    "34": (anytime.may_urge,),
    "35": (anytime.not_supervised,),
    "35.reply": (anytime.is_supervised,),
    "36": (anytime.may_withdraw,),
    "37": (requests.was_filed,),
    "38": (requests.was_late,),
    "38b.answer": (anytime.was_asked,),
    "40": (anytime.can_recall,),
    "41": (mediation.may_name,),
}


# Beyond these: what is asked of the one who does it of his own accord, and of the one who only asks for it.
DOING: Mapping[str, tuple[Guard, ...]] = {
    "4": (calling.branch_has_spoken,),
    "13b": (coordination.may_decline,),
    "19": (coordination.may_rule,),
    "20.claim": (cotasks.has_offer,),
    "20.decline": (cotasks.has_offer,),
    "25": (requests.in_danger,),
    "32": (closing.own_tier,),
}
ASKING: Mapping[str, tuple[Guard, ...]] = {
    "22": (requests.in_time,),
    "22.community": (requests.in_time,),
    "22.district": (requests.in_time,),
    "24": (requests.held_it,),
    "38": (requests.may_appeal,),
}


def road(move: Move, case: Case, book: Rulebook, now: datetime, actor: Actor) -> tuple[Grant, ActorRef]:
    """How the actor takes the row now: by doing it, or else by asking for it. Raises the first thing in the way."""
    does, asks = permit(case, actor, move.doing), permit(case, actor, move.asking)
    if does is None and asks is None:
        raise NotPermitted(move.action)
    _check(GUARDS, move, case, book, now, actor)
    if does is not None:
        try:
            _check(DOING, move, case, book, now, actor)
        except GovernanceError:
            if asks is None:
                raise
        else:
            return does
    assert asks is not None
    _check(ASKING, move, case, book, now, actor)
    proposals.none_pending(case, move.action)
    return asks


def ask(turn: Turn, move: Move, actor: Actor) -> None:
    """Somebody else decides whether the row is carried out."""
    proposals.ask(turn, move, actor, carry_out)


def carry_out(turn: Turn, move: Move, actor: Actor) -> None:
    """Do what the row does, if its conditions hold."""
    _check(GUARDS, move, turn.case, turn.book, turn.at, actor)
    EFFECTS[move.row](turn, actor)


def grantable(case: Case, book: Rulebook, now: datetime, actor: Actor) -> tuple[Request, ...]:
    """The requests that the actor could approve now."""
    return proposals.grantable(case, book, now, actor, carry_out)


def _check(
    table: Mapping[str, tuple[Guard, ...]], move: Move, case: Case, book: Rulebook, now: datetime, actor: Actor
) -> None:
    for condition in table.get(move.row, ()):
        condition(case, book, now, actor)
