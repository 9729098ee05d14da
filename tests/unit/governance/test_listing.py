"""What every move does, down to the last field, as a page that people read: listing.txt beside this file.

A change of the rules shows here as a change of lines; whoever makes it looks whether they say what was meant and
writes the page anew: `python -m tests.unit.governance.test_listing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.governance.acts import ActorRef, Archive, Around, AttachPhoto, CategoryRef, Neighbour, Post, Spot
from services.governance.cycle import Action, ClockKind, MachineRule, Nature, Role
from services.governance.rulebook import Settings
from services.governance.worktime import DayConvention, parse_limit
from tests.support.governance import (
    CATALOGUE,
    CELL,
    CHIEF,
    CHIEF2,
    CITY_OFFICE,
    CLERK,
    COMMITTEE,
    COMMUNITY,
    COMMUNITY_SECRETARY,
    CONDITIONS,
    COVER,
    DISTRICT,
    ENFORCERS,
    HEAP,
    HOME,
    LEAD,
    LEADER,
    LITTER,
    ONLY_CLERK,
    PHOTO,
    PLAIN,
    PROPERTY,
    QUARREL,
    RESIDENT,
    SECRETARY,
    STALL,
    STREET,
    VERIFIER,
    WORKER,
    WORKER2,
    Walk,
    at,
    person,
    recorded,
    report,
    rulebook,
    to_community,
    to_dispatched,
    to_fed_back,
    to_filed,
    to_handling,
    to_street,
)
from tests.support.listing import Teller, page, stories_of

PAGE = Path(__file__).with_name("listing.txt")
STORIES: dict[str, Callable[[], Teller]] = {}
CHECKER = Around(verifier=ActorRef("hecha", Role.VERIFIER))


def story(tell: Callable[[], Teller]) -> Callable[[], Teller]:
    STORIES[tell.__name__.replace("_", " ")] = tell
    return tell


def whole(walk: Walk) -> Teller:
    """A story that begins with what has already happened."""
    teller = Teller(walk)
    teller._told = 0
    return teller.catch_up()


def supervised(walk: Walk) -> Walk:
    walk.act(LEADER, Action.SUPERVISE, note="look at it", until=at("2026-03-06 17:00"))
    return walk


# --- a report comes in -----------------------------------------------------------------------------------------------
@story
def a_report_comes_in() -> Teller:
    return whole(Walk()).stands().offers()


@story
def a_report_without_a_class() -> Teller:
    return whole(Walk(report(None))).stands()


@story
def a_report_of_danger() -> Teller:
    return whole(Walk(report(COVER, danger=True))).stands().offers()


@story
def a_report_of_danger_to_life_without_a_class() -> Teller:
    return whole(Walk(report(None, life=True))).stands()


@story
def a_direct_call_by_the_reporter() -> Teller:
    return whole(Walk(report(COVER, danger=True, direct=True)))


@story
def a_secretary_reports_and_calls() -> Teller:
    return whole(Walk(report(call_now=True)))


@story
def settled_on_the_spot() -> Teller:
    return whole(Walk(report(on_the_spot="sao"))).stands()


@story
def a_grid_without_a_branch() -> Teller:
    return whole(Walk(around=Around(grid_has_branch=False))).stands()


@story
def outside_every_cell() -> Teller:
    return whole(Walk(report(spot=Spot(STREET, lng=113.9, lat=23.1)))).stands()


@story
def a_community_without_a_grid() -> Teller:
    return whole(Walk(report(spot=Spot(STREET, COMMUNITY))))


@story
def a_category_of_another_edition() -> Teller:
    return whole(Walk(replace(report(), category=CategoryRef("CJ/T 214", "2007", LITTER))))


@story
def a_restricted_matter() -> Teller:
    return whole(Walk(report(QUARREL, source="hotline_12345"))).stands()


@story
def a_matter_from_the_media() -> Teller:
    return whole(Walk(report(source="media"))).stands()


@story
def an_enquiry() -> Teller:
    return whole(to_handling(Walk(report(nature=Nature.ENQUIRY)), ("chengguan",)))


@story
def a_suggestion_for_the_community() -> Teller:
    walk = to_community(Walk(report(nature=Nature.SUGGESTION)))
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT)
    return whole(walk).act(COMMUNITY_SECRETARY, Action.ADD_CO, co_units=("huanwei",))


@story
def thanks() -> Teller:
    return whole(Walk(report(nature=Nature.THANKS)))


@story
def an_imported_unit() -> Teller:
    return whole(Walk(report(imported_unit="zhifa", staff=False))).stands()


@story
def history_that_has_ended() -> Teller:
    return whole(Walk(report(HEAP, recorded=recorded("office", overdue=True), staff=False))).stands().offers(CHIEF)


@story
def history_that_is_open() -> Teller:
    return whole(Walk(report(recorded=recorded(closed=False)))).stands()


@story
def history_without_a_unit() -> Teller:
    return whole(Walk(report(None, recorded=recorded(None, closed=False)))).stands()


@story
def plain_matters_are_dispatched_by_the_machine() -> Teller:
    return whole(to_street(Walk(report(PLAIN)))).stands()


@story
def one_more_report_and_its_photo() -> Teller:
    walk = Walk()
    walk.later(minutes=5).do(report(report_id="r2"))
    walk.do(report(report_id="r2"))
    walk.do(AttachPhoto("r2", "p1"))
    walk.do(AttachPhoto("r2", "p1"))
    return whole(walk).stands()


# --- grid and community ----------------------------------------------------------------------------------------------
@story
def the_grid_settles_it() -> Teller:
    teller = Teller(Walk())
    teller.act(SECRETARY, Action.SELF_RESOLVE_START).offers()
    teller.walk.later(minutes=30)
    return teller.act(WORKER, Action.SELF_RESOLVE_DONE, means="quan", note="talked").stands()


@story
def the_branch_calls_the_community() -> Teller:
    teller = Teller(Walk().later(minutes=10))
    return teller.act(SECRETARY, Action.CALL_UP, reason="no_means").stands().offers()


@story
def a_worker_waits_for_the_branch() -> Teller:
    teller = Teller(Walk())
    teller.act(WORKER, Action.CALL_UP, reason="no_means")
    teller.walk.later(minutes=29, seconds=59)
    teller.act(WORKER, Action.CALL_UP, reason="no_means")
    teller.walk.later(seconds=1)
    return teller.act(WORKER, Action.CALL_UP, reason="no_means")


@story
def a_worker_at_work_calls_at_once() -> Teller:
    teller = Teller(Walk()).act(WORKER, Action.SELF_RESOLVE_START)
    return teller.act(WORKER, Action.CALL_UP, reason="no_means")


@story
def no_community_to_call() -> Teller:
    walk = Walk(report(spot=Spot(STREET)), rulebook(machine=frozenset()))
    return Teller(walk).act(SECRETARY, Action.CALL_UP, reason="no_means")


@story
def the_community_answers_and_asks() -> Teller:
    teller = Teller(to_community(Walk()))
    teller.walk.later(minutes=20)
    teller.act(COMMUNITY_SECRETARY, Action.ANSWER).act(COMMUNITY_SECRETARY, Action.ANSWER)
    teller.act(COMMUNITY_SECRETARY, Action.ASK_MORE, note="where?").act(COMMUNITY_SECRETARY, Action.ASK_MORE, note="?")
    teller.walk.later(minutes=30)
    teller.act(WORKER, Action.ADD_INFO, note="there").act(WORKER, Action.ADD_INFO, note="there")
    return teller.stands()


@story
def the_branch_asks_and_nobody_answers() -> Teller:
    teller = Teller(Walk()).act(SECRETARY, Action.ASK_MORE, note="where?")
    teller.walk.fire(ClockKind.MORE)
    return teller.catch_up().stands()


@story
def the_community_settles_it() -> Teller:
    teller = Teller(to_community(Walk()))
    teller.act(COMMUNITY_SECRETARY, Action.ACCEPT, co_units=("wuye", "zhifa", "wuye")).offers().stands()
    teller.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=True)
    teller.act(ENFORCERS, Action.CO_DONE, note="done").act(PROPERTY, Action.DECLINE_OFFER)
    teller.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=True)
    teller.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=False, evidence=PHOTO)
    teller.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    teller.act(COMMUNITY_SECRETARY, Action.VERIFY_PASS, means="on_site")
    teller.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="n", evidence=PHOTO).stands()
    teller.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.act(SECRETARY, Action.VERIFY_PASS, means="on_site").stands()


@story
def the_community_finds_nothing() -> Teller:
    teller = Teller(to_community(Walk()))
    return teller.act(COMMUNITY_SECRETARY, Action.UNFOUNDED, note="nothing", evidence=PHOTO).stands()


@story
def the_community_calls_the_street_with_shares_open() -> Teller:
    teller = Teller(to_community(Walk())).act(COMMUNITY_SECRETARY, Action.ANSWER)
    teller.act(COMMUNITY_SECRETARY, Action.ACCEPT, co_units=("zhifa",))
    teller.walk.later(minutes=15)
    teller.act(COMMUNITY_SECRETARY, Action.CALL_UP, reason="no_enforcement", note="tried")
    return teller.stands().offers()


@story
def sent_down() -> Teller:
    teller = Teller(to_street(Walk())).act(CLERK, Action.SEND_DOWN, reason="not_tried_below").stands()
    teller.act(COMMUNITY_SECRETARY, Action.SEND_DOWN, reason="lower_tier_duty").stands()
    teller.act(SECRETARY, Action.CALL_UP, reason="no_means")
    teller.act(COMMUNITY_SECRETARY, Action.SEND_DOWN, reason="lower_tier_duty")
    teller.act(COMMUNITY_SECRETARY, Action.CALL_UP, reason="no_means", note="n")
    return teller.act(CLERK, Action.SEND_DOWN, reason="not_tried_below")


@story
def not_sent_down() -> Teller:
    danger = Teller(Walk(report(COVER, danger=True))).act(CLERK, Action.SEND_DOWN, reason="lower_tier_duty")
    nowhere = Teller(Walk(report(spot=Spot(STREET)))).act(CLERK, Action.SEND_DOWN, reason="lower_tier_duty")
    gridless = Teller(Walk(report(spot=Spot(STREET, COMMUNITY)))).act(
        COMMUNITY_SECRETARY, Action.SEND_DOWN, reason="lower_tier_duty"
    )
    danger.lines += [*nowhere.lines, *gridless.lines]
    return danger


# --- the street ------------------------------------------------------------------------------------------------------
@story
def the_street_answers_asks_and_confirms() -> Teller:
    teller = Teller(to_street(Walk())).act(ONLY_CLERK, Action.ANSWER)
    teller.act(ONLY_CLERK, Action.ASK_MORE, note="?").act(SECRETARY, Action.ADD_INFO, note="there")
    teller.walk.later(minutes=10)
    teller.act(CLERK, Action.CONFIRM_REQUEST, note="go and see", person="wangge01").stands().offers(WORKER, SECRETARY)
    teller.walk.later(minutes=20)
    return teller.act(WORKER, Action.CONFIRM_DONE, note="seen", evidence=PHOTO).stands()


@story
def confirmed_before_the_street_has_answered() -> Teller:
    walk = to_street(Walk(around=CHECKER))
    teller = Teller(walk).act(CLERK, Action.CONFIRM_REQUEST, note="go and see")
    return teller.act(VERIFIER, Action.CONFIRM_DONE, note="seen", evidence=PHOTO).stands()


@story
def filed() -> Teller:
    teller = Teller(to_street(Walk())).act(CLERK, Action.ANSWER)
    teller.walk.later(minutes=30)
    teller.act(CHIEF, Action.FILE, condition="quarrel").act(CHIEF, Action.FILE, condition="nothing")
    teller.act(CHIEF, Action.FILE, category="nothing", condition="litter").act(CHIEF, Action.FILE)
    return teller.act(CHIEF, Action.FILE, condition="litter.heap").stands().offers()


@story
def filed_under_another_class() -> Teller:
    teller = Teller(to_street(Walk(report(None))))
    return teller.act(CHIEF, Action.FILE, condition="stall", category=STALL, urgency=None).stands()


@story
def filed_where_no_rule_fits() -> Teller:
    teller = Teller(to_street(Walk()))
    return teller.act(CHIEF, Action.FILE, category="0999", condition="unsure").stands()


@story
def filed_and_dispatched_in_one_form() -> Teller:
    teller = Teller(to_street(Walk()))
    teller.act(CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="zhifa")
    teller.act(ONLY_CLERK, Action.FILE_DISPATCH, condition="litter", lead_unit="huanwei")
    units = {"lead_unit": "huanwei", "co_units": ("wuye", "zhifa")}
    return teller.act(CLERK, Action.FILE_DISPATCH, condition="litter", **units).stands()


@story
def not_filed() -> Teller:
    teller = Teller(to_street(Walk()))
    teller.act(CLERK, Action.NOT_FILE, reason="not_street_matter", note="n")
    teller.act(CHIEF, Action.NOT_FILE, reason="not_street_matter", note="n").stands()
    return teller.act(COMMUNITY_SECRETARY, Action.CALL_UP, note="look again")


@story
def declined_and_called_again() -> Teller:
    teller = Teller(to_street(Walk())).act(CHIEF, Action.DECLINE, reason="already_settled", note="n")
    teller.walk.later(minutes=5)
    teller.act(ONLY_CLERK, Action.DECLINE, reason="already_settled", note="n").stands().offers()
    teller.walk.later(minutes=5)
    teller.act(COMMUNITY_SECRETARY, Action.CALL_UP, note="look again").stands()
    teller.act(ONLY_CLERK, Action.DECLINE, reason="already_settled", note="n")
    teller.act(CHIEF, Action.DECLINE, reason="already_settled", note="n")
    return teller.act(COMMUNITY_SECRETARY, Action.CALL_UP, note="again").stands()


@story
def reclassified_in_the_grid() -> Teller:
    teller = Teller(Walk().later(minutes=5)).act(SECRETARY, Action.RECLASSIFY, reason="wrong_class")
    teller.act(SECRETARY, Action.RECLASSIFY, reason="wrong_class", category=HEAP).stands()
    teller.act(SECRETARY, Action.RECLASSIFY, reason="wrong_class", category="0999").stands()
    teller.act(SECRETARY, Action.RECLASSIFY, reason="wrong_class", category=LITTER, condition="litter").stands()
    return teller.act(SECRETARY, Action.RECLASSIFY, reason="danger_changed", urgency="U1")


@story
def reclassified_at_the_community() -> Teller:
    teller = Teller(to_community(Walk()))
    return teller.act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="danger_changed", category=COVER).stands()


@story
def reclassified_while_handled() -> Teller:
    teller = Teller(to_handling(Walk(), ("wuye", "zhifa")).later(minutes=40))
    teller.act(CHIEF, Action.RECLASSIFY, reason="situation_changed", condition="litter.heap").stands()
    return teller.act(CLERK, Action.RECLASSIFY, reason="wrong_class", category=STALL).stands()


@story
def reclassified_with_shares_of_the_community() -> Teller:
    teller = Teller(to_community(Walk())).act(COMMUNITY_SECRETARY, Action.ACCEPT, co_units=("zhifa",))
    return teller.act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_class", category=COVER)


@story
def the_place_is_put_right() -> Teller:
    moved = replace(HOME, community=STREET + "002", grid=STREET + "00201", cell=STREET + "002001")
    teller = Teller(to_community(Walk(around=Around(place=moved))))
    teller.act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_place", cell=CELL)
    return teller.act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_place", cell=moved.cell).stands()


@story
def a_place_is_found_for_what_lay_outside() -> Teller:
    walk = Walk(report(spot=Spot(STREET, lng=113.9, lat=23.1)), around=Around(place=HOME))
    return Teller(walk).act(CLERK, Action.RECLASSIFY, reason="wrong_place", cell=CELL).stands()


# --- dispatching and responding --------------------------------------------------------------------------------------
@story
def dispatched() -> Teller:
    teller = Teller(to_filed(Walk()))
    teller.act(CLERK, Action.DISPATCH, lead_unit="nobody").act(CLERK, Action.DISPATCH, lead_unit="zhifa")
    teller.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=("huanwei",))
    teller.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=("nobody",))
    return teller.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=("wuye", "chengguan")).stands().offers()


@story
def signed_and_responded() -> Teller:
    teller = Teller(to_dispatched(Walk())).act(LEAD, Action.SIGN).act(LEAD, Action.SIGN)
    teller.act(ENFORCERS, Action.RESPOND, means="on_site").act(LEAD, Action.RESPOND, means="boat")
    return teller.act(LEAD, Action.RESPOND, means="phone").stands().offers()


@story
def the_window_to_object_ends() -> Teller:
    teller = Teller(to_dispatched(Walk()))
    teller.walk.fire(ClockKind.RETURN_WINDOW)
    teller.catch_up()
    return teller.act(LEAD, Action.RETURN, reason="not_our_duty", note="n", suggested_unit="zhifa").stands()


@story
def returned_twice_and_ruled() -> Teller:
    back = {"reason": "not_our_duty", "note": "n", "suggested_unit": "zhifa"}
    teller = Teller(to_dispatched(Walk(), co_units=("chengguan",)).later(minutes=10))
    teller.act(LEAD, Action.RETURN, reason="not_our_duty", note="n", suggested_unit="nobody")
    teller.act(LEAD, Action.RETURN, **back).stands()
    teller.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=("chengguan", "wuye"))
    teller.act(LEAD, Action.RETURN, **back).stands().offers(CHIEF, LEADER)
    teller.act(LEADER, Action.RULE, lead_unit="huanwei", note="n").act(CHIEF, Action.RULE, lead_unit="x", note="n")
    teller.act(CHIEF, Action.RULE, lead_unit="chengguan", co_units=("wuye", "zhifa"), note="n").stands()
    return teller.act(CITY_OFFICE, Action.RETURN, **back)


@story
def returned_and_sent_back_to_intake() -> Teller:
    back = {"reason": "wrong_class", "note": "n"}
    walk = to_dispatched(Walk(), co_units=("chengguan",)).later(minutes=10)
    walk.act(LEAD, Action.RETURN, reason="not_our_duty", note="n", suggested_unit="zhifa")
    teller = Teller(walk).offers(CLERK).act(ONLY_CLERK, Action.SEND_DOWN, **back)
    walk.later(minutes=10)
    teller.act(CLERK, Action.SEND_DOWN, **back).stands().offers(CLERK, CHIEF)
    walk.later(minutes=10)
    teller.act(CHIEF, Action.FILE, condition="litter.heap").stands().act(CLERK, Action.SEND_DOWN, **back)
    return teller.act(CLERK, Action.DISPATCH, lead_unit="zhifa", reason="on_duty").stands()


@story
def ruled_without_new_shares() -> Teller:
    back = {"reason": "not_our_duty", "note": "n", "suggested_unit": "zhifa"}
    walk = to_dispatched(Walk())
    walk.act(LEAD, Action.RETURN, **back)
    walk.act(CLERK, Action.DISPATCH, lead_unit="huanwei", co_units=("chengguan",))
    walk.act(LEAD, Action.RETURN, **back)
    return Teller(walk).act(CHIEF, Action.RULE, lead_unit="huanwei", note="n").stands()


@story
def redispatched() -> Teller:
    teller = Teller(to_handling(Walk(), ("chengguan", "wuye")).later(minutes=20))
    teller.act(CLERK, Action.REDISPATCH, lead_unit="huanwei", reason="line_unfit")
    teller.act(CLERK, Action.REDISPATCH, lead_unit="nobody", reason="line_unfit")
    teller.act(CLERK, Action.REDISPATCH, lead_unit="chengguan", reason="line_unfit").stands()
    teller.act(CHIEF, Action.REDISPATCH, lead_unit="zhifa", co_units=("huanwei",), reason="on_duty")
    return teller.stands()


# --- shares ----------------------------------------------------------------------------------------------------------
@story
def shares_are_given_done_waived_and_dropped() -> Teller:
    teller = Teller(to_handling(Walk(), ("chengguan",)))
    teller.act(LEAD, Action.ADD_CO, co_units=("chengguan",)).act(LEAD, Action.ADD_CO, co_units=("huanwei",))
    teller.act(LEAD, Action.ADD_CO, co_units=("zhifa", "wuye"), until=at("2026-03-06 10:00")).offers()
    teller.act(CHIEF, Action.WAIVE, task="nothing", reason="not_needed").act(LEAD, Action.DROP_CO, reason="not_needed")
    teller.act(CITY_OFFICE, Action.DECLINE_OFFER).act(ENFORCERS, Action.CO_DONE, note="n", task="c1:t2")
    teller.walk.later(minutes=25)
    teller.act(CITY_OFFICE, Action.CO_DONE, note="n", task="c1:t2").act(CITY_OFFICE, Action.CO_DONE, note="n")
    teller.act(CHIEF, Action.WAIVE, task="c1:t3", reason="not_needed")
    teller.act(LEAD, Action.DROP_CO, task="c1:t4", reason="unit_unavailable")
    return teller.act(LEAD, Action.DROP_CO, task="c1:t4", reason="unit_unavailable").stands()


@story
def a_member_unit_promises_and_keeps_it() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.act(LEAD, Action.ADD_CO, co_units=("wuye",)).act(CITY_OFFICE, Action.CLAIM)
    teller.act(PROPERTY, Action.CLAIM, task="c1:t9").act(PROPERTY, Action.CLAIM, note="two people").offers()
    teller.act(PROPERTY, Action.CLAIM).act(PROPERTY, Action.DECLINE_OFFER)
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.act(PROPERTY, Action.CO_DONE, note="done").stands()


@story
def a_share_beyond_the_handling_time() -> Teller:
    teller = Teller(to_handling(Walk()))
    return teller.act(LEAD, Action.ADD_CO, co_units=("zhifa",), until=at("2026-05-06 10:00"))


@story
def a_conference() -> Teller:
    teller = Teller(to_handling(Walk())).act(COMMITTEE, Action.CALL_CONFERENCE, note="n", co_units=("zhifa", "sifa"))
    teller.act(CHIEF, Action.CALL_CONFERENCE, note="n", co_units=("zhifa",)).stands()
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.stands()


# --- requests --------------------------------------------------------------------------------------------------------
@story
def an_extension() -> Teller:
    teller = Teller(to_handling(Walk())).act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n")
    teller.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n").stands().offers(CLERK, CHIEF, LEADER, LEAD)
    teller.act(LEADER, Action.APPROVE).act(CLERK, Action.APPROVE, request="nothing")
    teller.walk.later(minutes=10)
    teller.act(CLERK, Action.APPROVE).stands().act(LEAD, Action.EXTEND_REQUEST, reason="material", note="n")
    teller.act(CLERK, Action.DENY, note="n").act(CHIEF, Action.DENY, note="n").stands()
    teller.act(LEAD, Action.EXTEND_REQUEST, reason="material", note="n").act(CHIEF, Action.APPROVE)
    return teller.act(LEAD, Action.EXTEND_REQUEST, reason="material", note="n")


@story
def an_extension_that_comes_too_late() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.walk.now = teller.walk.clock(ClockKind.HANDLING).due_at
    teller.offers(LEAD).catch_up()
    teller.walk.later(seconds=1)
    return teller.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n").offers(LEAD)


@story
def a_suspension() -> Teller:
    teller = Teller(to_handling(Walk(), ("zhifa",)))
    ask = {"reason": "funding", "note": "n"}
    teller.act(LEAD, Action.SUSPEND_REQUEST, **ask).act(LEAD, Action.SUSPEND_REQUEST, until=teller.walk.now, **ask)
    teller.act(LEAD, Action.SUSPEND_REQUEST, until=at("2027-03-07 09:01"), **ask)
    teller.act(LEAD, Action.SUSPEND_REQUEST, until=at("2026-04-06 09:00"), **ask).offers(CHIEF, LEADER)
    teller.act(LEAD, Action.SUSPEND_REQUEST, until=at("2026-04-06 09:00"), **ask)
    teller.walk.later(minutes=30)
    teller.act(LEADER, Action.APPROVE).act(CHIEF, Action.APPROVE).stands().offers(CHIEF)
    teller.walk.later(days=3)
    teller.act(CHIEF, Action.RESUME).stands()
    return teller.act(LEAD, Action.SUSPEND_REQUEST, until=at("2026-04-06 09:00"), **ask)


@story
def a_long_suspension_ends_by_itself() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-06-05 09:00"))
    teller.act(CHIEF, Action.APPROVE).act(LEADER, Action.APPROVE)
    teller.walk.fire(ClockKind.REVIEW)
    return teller.catch_up().stands()


@story
def a_suspension_of_ninety_days_is_the_chiefs() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-06-04 09:00"))
    return teller.act(LEADER, Action.APPROVE)


@story
def approved_after_its_own_end() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-06 10:00"))
    teller.walk.until("2026-03-06 10:00")
    return teller.act(CHIEF, Action.APPROVE)


@story
def a_whistle() -> Teller:
    teller = Teller(to_handling(Walk(), ("zhifa",)))
    teller.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="n")
    teller.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="n").act(CHIEF, Action.APPROVE)
    teller.walk.later(minutes=15)
    teller.act(LEADER, Action.APPROVE).stands().offers()
    teller.walk.later(minutes=15)
    teller.act(DISTRICT, Action.REFUSE, reason="street_can", note="n").stands()
    teller.act(CHIEF, Action.WHISTLE, kind="joint_enforcement", note="n").act(LEADER, Action.APPROVE)
    teller.act(DISTRICT, Action.ANSWER_WHISTLE).stands().offers(DISTRICT, CLERK)
    teller.act(DISTRICT, Action.FEEDBACK, close_condition_met=True).stands()
    return teller.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="n", evidence=PHOTO).stands()


@story
def a_whistle_refused_twice() -> Teller:
    teller = Teller(to_filed(Walk()))
    for _ in range(2):
        teller.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="n").act(LEADER, Action.APPROVE)
        teller.act(DISTRICT, Action.REFUSE, reason="not_district_duty", note="n")
    return teller.act(CHIEF, Action.WHISTLE, kind="street_cannot", note="n").stands()


@story
def a_whistle_in_danger() -> Teller:
    walk = Walk(report(COVER, danger=True))
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    return Teller(walk).act(CHIEF, Action.WHISTLE, kind="emergency", note="n").stands()


@story
def an_emergency_that_is_none() -> Teller:
    return Teller(to_filed(Walk())).act(CHIEF, Action.WHISTLE, kind="emergency", note="n")


@story
def voided_by_two() -> Teller:
    teller = Teller(to_handling(Walk(), ("zhifa",))).act(CHIEF, Action.VOID, reason="test_data", note="n")
    teller.act(CHIEF2, Action.VOID, reason="test_data", note="n").act(CHIEF, Action.APPROVE).offers(CHIEF, CHIEF2)
    teller.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n").act(CHIEF2, Action.APPROVE)
    return teller.act(CHIEF2, Action.APPROVE, request="c1:r1").stands()


@story
def withdrawn() -> Teller:
    teller = Teller(Walk()).act(WORKER, Action.WITHDRAW).act(WORKER2, Action.WITHDRAW, note="n")
    return teller.act(WORKER, Action.WITHDRAW, note="solved").stands()


@story
def withdrawn_by_a_resident_with_a_code() -> Teller:
    return Teller(to_community(Walk(report(staff=False)))).act(RESIDENT, Action.WITHDRAW, reason="mistaken")


# --- the end ---------------------------------------------------------------------------------------------------------
@story
def fed_back_with_a_check_task() -> Teller:
    teller = Teller(to_handling(Walk(around=CHECKER), ("wuye",))).act(
        LEAD, Action.EXTEND_REQUEST, reason="weather", note="n"
    )
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True)
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO).stands().offers()
    teller.act(LEAD, Action.VERIFY_PASS, means="on_site").act(WORKER, Action.VERIFY_FAIL, reason="not_found_fixed")
    teller.walk.later(minutes=30)
    teller.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="n", evidence=PHOTO).stands()
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.act(VERIFIER, Action.VERIFY_PASS, means="on_site").stands().offers()


@story
def the_handler_is_no_checker() -> Teller:
    walk = to_handling(Walk(around=Around(verifier=ActorRef("huanwei", Role.VERIFIER))))
    return Teller(walk).act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)


@story
def closed_after_its_time() -> Teller:
    walk = to_handling(Walk())
    walk.until("2026-03-09 11:00").act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    teller = Teller(walk).stands().act(VERIFIER, Action.VERIFY_PASS, means="on_site").stands().offers()
    teller.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="n").offers(CLERK, ONLY_CLERK)
    teller.act(CLERK, Action.APPROVE).stands().act(CLERK, Action.APPROVE).act(ONLY_CLERK, Action.APPROVE).stands()
    return teller.act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="n")


@story
def an_appeal_against_a_close_in_time() -> Teller:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(LEAD, Action.APPEAL_OVERDUE, reason="weather", note="n")


@story
def visited_before_closing() -> Teller:
    walk = to_fed_back(Walk(report(source="hotline_12345")))
    teller = Teller(walk).act(VERIFIER, Action.VERIFY_PASS, means="reporter").stands().offers()
    teller.act(CHIEF, Action.CLOSE).act(WORKER, Action.SATISFACTION, grade="fair")
    teller.act(VERIFIER, Action.VISIT, grade="satisfied").act(COMMUNITY_SECRETARY, Action.CLOSE)
    teller.act(CHIEF, Action.CLOSE).stands()
    return teller.act(VERIFIER, Action.VISIT, grade="not_reached")


@story
def closing_is_left_to_people() -> Teller:
    walk = to_fed_back(Walk(book=rulebook(machine=frozenset(MachineRule) - {MachineRule.CLOSE})))
    teller = Teller(walk).act(VERIFIER, Action.VERIFY_PASS, means="on_site").stands()
    return teller.act(CHIEF, Action.CLOSE).stands()


@story
def the_community_closes_what_it_settled() -> Teller:
    book = rulebook(machine=frozenset(MachineRule) - {MachineRule.CLOSE})
    walk = to_community(Walk(book=book))
    walk.act(COMMUNITY_SECRETARY, Action.ACCEPT)
    walk.act(COMMUNITY_SECRETARY, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    walk.act(SECRETARY, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).offers(COMMUNITY_SECRETARY, CHIEF).act(COMMUNITY_SECRETARY, Action.CLOSE).stands()


@story
def supervised_until_it_is_answered() -> Teller:
    teller = Teller(to_fed_back(Walk()))
    teller.act(LEADER, Action.SUPERVISE, note="n", until=teller.walk.now).act(LEADER, Action.SUPERVISE, note="n")
    teller.act(CLERK, Action.REPLY_SUPERVISION, note="n")
    supervised(teller.walk)
    teller.catch_up().act(LEADER, Action.SUPERVISE, note="n", until=at("2026-03-06 18:00")).stands()
    teller.act(VERIFIER, Action.VERIFY_PASS, means="on_site").act(CHIEF, Action.CLOSE)
    return teller.act(CLERK, Action.REPLY_SUPERVISION, note="n").act(CHIEF, Action.CLOSE).stands()


@story
def supervised_work_ends_in_no_other_way() -> Teller:
    grid = Teller(supervised(Walk())).act(SECRETARY, Action.SELF_RESOLVE_START)
    grid.act(WORKER, Action.SELF_RESOLVE_DONE, means="guan", note="n")
    community = Teller(supervised(to_community(Walk())))
    community.act(COMMUNITY_SECRETARY, Action.UNFOUNDED, note="n", evidence=PHOTO)
    street = Teller(supervised(to_street(Walk()))).act(CHIEF, Action.NOT_FILE, reason="not_street_matter", note="n")
    street.act(ONLY_CLERK, Action.DECLINE, reason="not_street_matter", note="n")
    grid.lines += [*community.lines, *street.lines]
    return grid


@story
def urged() -> Teller:
    teller = Teller(to_dispatched(Walk())).act(WORKER, Action.URGE)
    teller.walk.later(minutes=59, seconds=59)
    teller.act(WORKER, Action.URGE)
    teller.walk.later(seconds=1)
    return teller.act(WORKER, Action.URGE).act(CHIEF, Action.NOTE, note="seen").stands()


@story
def reopened_with_the_unit_that_led() -> Teller:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    teller = Teller(walk.later(days=7)).act(CHIEF, Action.REOPEN, reason="not_solved", note="n").stands()
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    teller.act(VERIFIER, Action.VERIFY_PASS, means="on_site").stands()
    teller.walk.later(days=7, seconds=1)
    return teller.act(CHIEF, Action.REOPEN, reason="not_solved", note="n")


@story
def reopened_for_another_unit() -> Teller:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(CHIEF, Action.REOPEN, reason="came_back", note="n", kind="other_unit").stands()


@story
def reopened_in_the_grid() -> Teller:
    teller = Teller(Walk(report(on_the_spot="sao"))).act(CHIEF, Action.REOPEN, reason="came_back", note="n")
    return teller.stands()


@story
def archived() -> Teller:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    teller = Teller(walk.later(days=90, seconds=-1))
    teller.walk.do(Archive())
    teller.catch_up().stands()
    teller.walk.later(seconds=1).do(Archive())
    return teller.catch_up().stands()


# --- the machine and its recall --------------------------------------------------------------------------------------
@story
def nobody_answers() -> Teller:
    teller = Teller(Walk())
    teller.walk.fire(ClockKind.GRID_RESPONSE)
    teller.catch_up().stands().offers(SECRETARY, WORKER, COMMUNITY_SECRETARY)
    teller.walk.fire(ClockKind.COMMUNITY_RESPONSE)
    teller.catch_up().stands()
    for rung in (0, 1):
        teller.walk.fire(ClockKind.STREET_ANSWER, rung)
    return teller.catch_up().stands()


@story
def calls_left_to_people() -> Teller:
    teller = Teller(Walk(book=rulebook(machine=frozenset())))
    teller.walk.fire(ClockKind.GRID_RESPONSE)
    return teller.catch_up().stands()


@story
def seen_hours_too_late() -> Teller:
    teller = Teller(Walk())
    teller.walk.until("2026-03-06 15:00").act(CHIEF, Action.NOTE, note="late")
    return teller.catch_up().stands()


@story
def the_ladder_of_handling() -> Teller:
    teller = Teller(to_handling(Walk(report(HEAP)), condition="litter.heap"))
    for rung in (1, 2, 3, 4):
        teller.walk.fire(ClockKind.HANDLING, rung)
    return teller.catch_up().stands()


@story
def the_ladder_where_the_platform_is_not_told() -> Teller:
    teller = Teller(to_handling(Walk()))
    teller.walk.fire(ClockKind.HANDLING, 4)
    return teller.catch_up().stands()


@story
def nobody_responds_in_danger() -> Teller:
    walk = Walk(report(COVER, danger=True))
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    walk.act(CLERK, Action.DISPATCH, lead_unit="chengguan")
    teller = Teller(walk)
    for rung in (1, 0, 2):
        walk.fire(ClockKind.RESPONSE, rung)
    return teller.catch_up().stands()


@story
def a_call_of_the_machine_is_taken_back() -> Teller:
    teller = Teller(Walk())
    teller.walk.fire(ClockKind.GRID_RESPONSE)
    teller.catch_up().act(COMMUNITY_SECRETARY, Action.RECALL)
    teller.walk.later(minutes=10)
    return teller.act(SECRETARY, Action.RECALL).stands().act(SECRETARY, Action.RECALL)


@story
def a_recall_that_comes_too_late() -> Teller:
    teller = Teller(Walk())
    teller.walk.fire(ClockKind.GRID_RESPONSE)
    teller.walk.later(minutes=10, seconds=1)
    return teller.catch_up().act(SECRETARY, Action.RECALL)


@story
def a_dispatch_of_the_machine_is_taken_back() -> Teller:
    teller = Teller(to_street(Walk(report(PLAIN))).later(minutes=5))
    return teller.act(LEAD, Action.RECALL).act(CLERK, Action.RECALL).stands()


@story
def an_alert_is_taken_back_with_its_danger() -> Teller:
    teller = Teller(Walk(report(COVER, danger=True))).act(SECRETARY, Action.RECALL)
    return teller.act(SECRETARY, Action.RECALL, urgency="U2").stands()


@story
def a_close_of_the_machine_is_taken_back() -> Teller:
    walk = to_fed_back(Walk())
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(CHIEF, Action.RECALL).stands()


@story
def not_dispatched_by_the_machine() -> Teller:
    two = (*CATALOGUE, replace(CATALOGUE[1], id="L1.again"))
    books_and_commands = (
        (rulebook(catalogue=two), report(PLAIN), Around()),
        (rulebook(), report(PLAIN, staff=False), Around()),
        (rulebook(), report(PLAIN, imported_unit="zhifa"), Around()),
        (rulebook(), report(PLAIN, source="media"), Around()),
        (rulebook(), report(PLAIN), Around(near=(Neighbour("x", Walk().case.state, None),))),
        (rulebook(machine=frozenset(MachineRule) - {MachineRule.DISPATCH}), report(PLAIN), Around()),
        (rulebook(), report(PLAIN, spot=Spot(STREET)), Around()),
    )
    teller = Teller(Walk())
    for book, command, around in books_and_commands:
        walk = Walk(command, book, around)
        if walk.case.spot.community:
            to_street(walk)
        teller.lines.append(f"{walk.case.state} {walk.facts[-1].kind}")
    return teller


@story
def an_urgent_case_keeps_its_ladder() -> Teller:
    walk = Walk(report(COVER, danger=True))
    walk.act(CHIEF, Action.FILE, condition="cover.gone")
    walk.act(CLERK, Action.DISPATCH, lead_unit="chengguan")
    teller = Teller(walk).act(CITY_OFFICE, Action.RESPOND, means="on_site")
    teller.act(CITY_OFFICE, Action.EXTEND_REQUEST, reason="material", note="n").act(CLERK, Action.APPROVE)
    teller.act(CITY_OFFICE, Action.EXTEND_REQUEST, reason="material", note="n")
    teller.act(CITY_OFFICE, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-09 09:00"))
    teller.walk.later(minutes=90)
    teller.act(CHIEF, Action.APPROVE, request="c1:r3").act(CHIEF, Action.APPROVE, request="c1:r2")
    teller.act(CHIEF, Action.RESUME).act(
        CHIEF, Action.RECLASSIFY, reason="situation_changed", condition="cover.cracked"
    )
    teller.act(CITY_OFFICE, Action.FEEDBACK, note="n", close_condition_met=True)
    return teller.act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="n", evidence=PHOTO).stands()


@story
def suspended_after_its_due_time() -> Teller:
    teller = Teller(to_handling(Walk()))
    walk = teller.walk
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-16 09:00"))
    walk.until("2026-03-09 10:00").act(CHIEF, Action.APPROVE)
    walk.later(hours=1, microseconds=7)
    return teller.explains(ClockKind.HANDLING).act(CHIEF, Action.RESUME).explains(ClockKind.HANDLING)


@story
def reclassified_while_more_is_awaited() -> Teller:
    walk = to_community(Walk())
    walk.later(minutes=30).act(COMMUNITY_SECRETARY, Action.ASK_MORE, note="where?")
    teller = Teller(walk).act(
        COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_class", category=COVER, urgency="U2"
    )
    walk.later(minutes=1).act(COMMUNITY_SECRETARY, Action.RECLASSIFY, reason="wrong_class", category=HEAP)
    return teller.catch_up().act(WORKER, Action.ADD_INFO, note="there")


@story
def supervised_for_less_than_a_second() -> Teller:
    teller = Teller(Walk())
    until = teller.walk.now + timedelta(milliseconds=500)
    return teller.act(LEADER, Action.SUPERVISE, note="n", until=until)


# --- beside the road -------------------------------------------------------------------------------------------------
@story
def the_reporter_is_asked() -> Teller:
    teller = Teller(to_handling(Walk())).act(RESIDENT, Action.ANSWER_QUESTION, note="n")
    teller.act(LEAD, Action.ASK_REPORTER, note="which side?").stands().offers(RESIDENT)
    return teller.act(RESIDENT, Action.ANSWER_QUESTION, note="the north side").stands()


@story
def a_conference_is_held() -> Teller:
    teller = Teller(to_handling(Walk())).act(COMMITTEE, Action.HOLD_CONFERENCE, reason="decided", note="n")
    teller.act(CHIEF, Action.CALL_CONFERENCE, note="n", co_units=("zhifa",))
    decided = {"reason": "decided", "note": "n", "co_units": ("zhifa", "sifa")}
    teller.act(COMMITTEE, Action.HOLD_CONFERENCE, until=teller.walk.now, **decided)
    return teller.act(COMMITTEE, Action.HOLD_CONFERENCE, until=at("2026-03-09 10:00"), **decided).stands()


@story
def urged_once_a_working_day() -> Teller:
    settings = Settings(urge_gap=parse_limit("1d"), convention=DayConvention.DAY_END)
    walk = to_handling(Walk(report(HEAP), rulebook(settings=settings)), condition="litter.heap")
    teller = Teller(walk.until("2026-03-06 16:00")).act(WORKER, Action.URGE)
    for moment in ("2026-03-08 16:00", "2026-03-09 17:59", "2026-03-09 18:00"):
        walk.until(moment)
        teller.act(WORKER, Action.URGE)
    return teller


@story
def not_taken_back_alone() -> Teller:
    walk = Walk()
    walk.later(minutes=5).do(report(report_id="r2"))
    return Teller(walk).act(WORKER, Action.WITHDRAW, reason="mistaken")


@story
def who_may_not_check() -> Teller:
    mine = person("mine", Post(Role.HANDLING_UNIT, unit="huanwei"), Post(Role.VERIFIER))
    walk = to_fed_back(Walk())
    restricted = to_handling(Walk(report(QUARREL)), condition="quarrel")
    restricted.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True)
    urgent = Walk(report(COVER, danger=True))
    urgent.act(CHIEF, Action.FILE, condition="cover.gone")
    urgent.act(CLERK, Action.DISPATCH, lead_unit="chengguan")
    urgent.act(CITY_OFFICE, Action.RESPOND, means="on_site")
    urgent.act(CITY_OFFICE, Action.FEEDBACK, note="n", close_condition_met=True)
    teller, second, third = Teller(walk), Teller(restricted), Teller(urgent)
    for each in (teller, second, third):
        each.act(mine, Action.VERIFY_PASS, means="on_site").act(SECRETARY, Action.VERIFY_FAIL, reason="not_found_fixed")
        each.act(WORKER, Action.VERIFY_PASS, means="on_site")
    teller.lines += [*second.lines, *third.lines]
    return teller


@story
def another_unit_and_the_desk_of_the_unit_may_check() -> Teller:
    other = person("other", Post(Role.HANDLING_UNIT, unit="zhifa"), Post(Role.VERIFIER))
    desk = person("desk", Post(Role.VERIFIER, unit="huanwei"))
    teller = Teller(to_fed_back(Walk())).act(other, Action.VERIFY_PASS, means="on_site")
    second = Teller(to_fed_back(Walk())).act(desk, Action.VERIFY_PASS, means="on_site")
    teller.lines += second.lines
    return teller


@story
def an_enquiry_answered_badly() -> Teller:
    teller = Teller(to_handling(Walk(report(nature=Nature.ENQUIRY))).later(hours=2))
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    teller.act(VERIFIER, Action.VERIFY_FAIL, reason="close_condition_unmet", note="n", evidence=PHOTO).stands()
    teller.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.act(VERIFIER, Action.VERIFY_PASS, means="reporter").stands()


@story
def nobody_is_reached() -> Teller:
    walk = to_fed_back(Walk(report(source="hotline_12345")))
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    teller = Teller(walk)
    for _ in range(2):
        teller.act(VERIFIER, Action.VISIT, grade="not_reached")
        walk.later(minutes=20)
    for _ in range(2):
        walk.later(hours=1)
        teller.catch_up().act(VERIFIER, Action.VISIT, grade="not_reached")
    return teller.stands()


@story
def reopened_by_who_reported() -> Teller:
    lines: list[str] = []
    for late in (0, 1):
        walk = to_fed_back(Walk())
        walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
        closed_at = walk.now
        walk.later(days=3).act(RESIDENT, Action.SATISFACTION, grade="fair")
        walk.now = closed_at + timedelta(days=7, seconds=late)
        teller = Teller(walk).act(RESIDENT, Action.REOPEN, reason="not_solved", note="n")
        lines += teller.lines
    teller.lines = lines
    return teller


@story
def reopened_where_it_has_come_back_before() -> Teller:
    walk = to_fed_back(Walk(around=Around(before=1)))
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(CHIEF, Action.REOPEN, reason="came_back", note="n").stands()


@story
def reopened_under_the_days_end() -> Teller:
    walk = Walk(report(HEAP), rulebook(settings=Settings(convention=DayConvention.DAY_END)))
    to_handling(walk, condition="litter.heap")
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True)
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(CHIEF, Action.REOPEN, reason="not_solved", note="n")


@story
def an_alert_is_taken_back_where_the_class_is_harmless() -> Teller:
    teller = Teller(Walk(report(LITTER, danger=True))).act(SECRETARY, Action.RECALL, urgency="U2").stands()
    book = rulebook(settings=Settings(convention=DayConvention.DAY_END))
    again = Teller(Walk(report(HEAP, danger=True), book)).act(SECRETARY, Action.RECALL, urgency="U3").stands()
    teller.lines += again.lines
    return teller


@story
def a_call_is_taken_back_where_no_rule_fits() -> Teller:
    teller = Teller(Walk(report(None)))
    teller.walk.fire(ClockKind.GRID_RESPONSE)
    teller.catch_up()
    return teller.act(SECRETARY, Action.RECALL).stands()


@story
def a_call_is_taken_back_beside_a_mediation() -> Teller:
    walk = Walk(report(QUARREL))
    walk.act(SECRETARY, Action.NAME_MEDIATOR, person="wangge02")
    walk.fire(ClockKind.GRID_RESPONSE)
    return Teller(walk).act(SECRETARY, Action.RECALL).stands()


@story
def a_close_is_taken_back_after_a_request_had_ended() -> Teller:
    walk = to_handling(Walk())
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n")
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    walk.act(VERIFIER, Action.VERIFY_PASS, means="on_site")
    return Teller(walk).act(CHIEF, Action.RECALL).stands()


@story
def settled_on_the_spot_reopened_and_called() -> Teller:
    walk = Walk(report(on_the_spot="sao"))
    walk.act(CHIEF, Action.REOPEN, reason="not_solved", note="n")
    return Teller(walk).act(SECRETARY, Action.CALL_UP, reason="no_means").stands()


# --- why a clock is due when it is -----------------------------------------------------------------------------------
def explained(when: str, limit: str = "1d", **changes: object) -> Teller:
    """A case reported at a moment, handled under a limit."""
    litter = replace(CONDITIONS[2], limit=parse_limit(limit))
    book = rulebook(conditions={c.id: c for c in (*CONDITIONS, litter)}, **changes)
    return Teller(to_handling(Walk(report(when=at(when)), book)))


@story
def due_after_the_holidays() -> Teller:
    return explained("2026-09-30 17:00", "4h").explains(ClockKind.HANDLING, ClockKind.WHOLE, ClockKind.RETURN_WINDOW)


@story
def due_after_a_week_with_a_makeup_day() -> Teller:
    return explained("2026-09-18 09:30", "5d").explains(ClockKind.HANDLING)


@story
def due_by_the_wall_and_by_whole_days() -> Teller:
    teller = explained("2026-03-06 09:00:30", "2uh").explains(ClockKind.HANDLING, ClockKind.RESPONSE)
    nature = explained("2026-03-06 09:00", "15nd").explains(ClockKind.HANDLING)
    teller.lines += nature.lines
    return teller


@story
def due_in_a_year_without_a_notice() -> Teller:
    return explained("2026-12-30 16:00", "5d").explains(ClockKind.HANDLING)


@story
def due_by_the_same_clock_time_and_by_the_end_of_a_day() -> Teller:
    same = explained("2026-03-05 19:30", "2d", settings=Settings(convention=DayConvention.SAME_TIME))
    ends = explained("2026-03-05 10:30", "2d", settings=Settings(convention=DayConvention.DAY_END))
    same.explains(ClockKind.HANDLING).lines += ends.explains(ClockKind.HANDLING).lines
    return same


@story
def due_after_a_suspension_and_an_extension() -> Teller:
    teller = explained("2026-03-05 10:00", "2d")
    walk = teller.walk.later(hours=1)
    walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n")
    walk.act(CLERK, Action.APPROVE)
    walk.later(minutes=30).act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-16 09:00"))
    walk.act(CHIEF, Action.APPROVE)
    teller.explains(ClockKind.HANDLING)
    walk.later(days=1)
    walk.act(CHIEF, Action.RESUME)
    teller.explains(ClockKind.HANDLING, ClockKind.WHOLE)
    walk.later(minutes=5).act(CHIEF, Action.RECLASSIFY, reason="situation_changed", condition="litter.heap")
    teller.explains(ClockKind.HANDLING)
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    return teller.explains(ClockKind.HANDLING, ClockKind.WHOLE, ClockKind.VERIFY)


@story
def due_without_its_history() -> Teller:
    teller = explained("2026-03-05 10:00", "2d")
    walk = teller.walk.later(hours=1)
    walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-16 09:00"))
    walk.act(CHIEF, Action.APPROVE)
    walk.facts.clear()
    teller.explains(ClockKind.HANDLING)
    walk.later(days=1).act(CHIEF, Action.RESUME)
    walk.facts.clear()
    return teller.explains(ClockKind.HANDLING)


@story
def due_again_after_a_check_that_failed() -> Teller:
    teller = explained("2026-03-09 08:00", "3d", edition="2026.2").explains(ClockKind.HANDLING)
    walk = teller.walk.until("2026-03-11 16:30")
    walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    walk.later(minutes=10).act(VERIFIER, Action.VERIFY_FAIL, reason="not_found_fixed", note="n", evidence=PHOTO)
    return teller.explains(ClockKind.HANDLING, ClockKind.WHOLE)


@story
def paused_on_the_evening_it_began_and_on_the_next_morning() -> Teller:
    lines: list[str] = []
    for start, pause in (("2026-03-05 19:30", "2026-03-05 20:00"), ("2026-03-05 17:00", "2026-03-06 07:00")):
        teller = explained(start)
        walk = teller.walk
        walk.act(LEAD, Action.SUSPEND_REQUEST, reason="funding", note="n", until=at("2026-03-16 09:00"))
        walk.until(pause).act(CHIEF, Action.APPROVE)
        lines += teller.explains(ClockKind.HANDLING).lines
    teller.lines = lines
    return teller


@story
def due_without_a_class() -> Teller:
    return Teller(Walk(report(None))).explains(ClockKind.WHOLE, ClockKind.GRID_RESPONSE)


@story
def due_across_the_year_by_the_wall() -> Teller:
    teller = explained("2026-12-31 23:00", "2uh").explains(ClockKind.HANDLING, ClockKind.RETURN_WINDOW)
    working = explained("2026-12-31 17:00", "2d")
    working.walk.act(LEAD, Action.FEEDBACK, note="n", close_condition_met=True, evidence=PHOTO)
    teller.lines += working.explains(ClockKind.HANDLING, ClockKind.VERIFY).lines
    teller.lines += explained("2026-03-06 09:00", "15nd").explains(ClockKind.RETURN_WINDOW).lines
    return teller


@story
def reclassified_under_the_other_conventions() -> Teller:
    lines: list[str] = []
    for convention in (DayConvention.SAME_TIME, DayConvention.DAY_END):
        teller = explained("2026-03-05 19:30", "2d", settings=Settings(convention=convention))
        whole_story = whole(teller.walk.later(hours=14))
        lines += whole_story.act(CHIEF, Action.RECLASSIFY, reason="situation_changed", condition="litter.heap").lines
        teller.walk.act(LEAD, Action.EXTEND_REQUEST, reason="weather", note="n")
        lines += whole_story.act(CLERK, Action.APPROVE).lines
    whole_story.lines = lines
    return whole_story


@pytest.mark.parametrize("name", STORIES)
def test_the_page_says_what_happens(name: str) -> None:
    assert "\n".join(STORIES[name]().lines) == stories_of(PAGE)[name]


def test_the_page_has_every_story_and_no_other() -> None:
    assert list(stories_of(PAGE)) == list(STORIES)


if __name__ == "__main__":
    PAGE.write_text(page((name, tell().lines) for name, tell in STORIES.items()), "utf-8")
