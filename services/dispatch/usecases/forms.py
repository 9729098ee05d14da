"""What a person may do now, as forms: each action with its inputs, their words and their choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from schemas.api.dispatch import ActionOut, InputChoiceOut, InputOut
from services.chassis.houses import without_house_numbers
from services.dispatch.store.candidates import Candidate
from services.dispatch.usecases.limits import Limits
from services.dispatch.usecases.words import Words
from services.governance.acts import Actor, FactKind, Input, InputType, Request, Task, TaskState
from services.governance.case import Case, Offer, offers
from services.governance.cycle import Action, Role
from services.governance.moves import BY_STEP
from services.governance.rulebook import Rulebook

_OPEN = frozenset({TaskState.OFFERED, TaskState.DOING})
_FIELD_ROLES = (Role.GRID_WORKER, Role.GRID_SECRETARY, Role.VERIFIER)

_OWN_SHARE = frozenset({Action.CLAIM, Action.CO_DONE, Action.DECLINE_OFFER})
"""What a unit says of its own share: others' are no choice."""
_PROPOSED = frozenset({Action.FILE, Action.FILE_DISPATCH, Action.DISPATCH, Action.RECLASSIFY})


class Forms:
    """Makes the forms of one case for one person."""

    def __init__(
        self, case: Case, rulebook: Rulebook, words: Words, now: datetime, beside: Sequence[Candidate] = ()
    ) -> None:
        self._case = case
        self._beside = beside
        self._book = rulebook
        self._words = words
        self._now = now
        self._limits = Limits(case, rulebook, words, now)
        self._fill: Mapping[InputType, Callable[[], list[InputChoiceOut]]] = {
            InputType.UNIT: self._units,
            InputType.UNITS: self._units,
            InputType.CATEGORY: self._categories,
            InputType.CONDITION: self._conditions,
            InputType.PERSON: self._people,
            InputType.TASK: self._tasks,
            InputType.CASE_NO: self._cases,
            InputType.CELL: self._cells,
        }

    def actions(self, actor: Actor) -> tuple[ActionOut, ...]:
        """Everything `actor` may do now, the main road first."""
        return tuple(self._action(offer, actor) for offer in offers(self._case, actor, self._book, self._now))

    def _action(self, offer: Offer, actor: Actor) -> ActionOut:
        return ActionOut(
            action=offer.action,
            label=self._label(offer),
            primary=offer.primary,
            ask=offer.ask,
            inputs=tuple(self._input(offer.action, each, actor) for each in offer.inputs),
            limits=self._limits.of(offer),
        )

    def _label(self, offer: Offer) -> str:
        """Actions that are named after their asking (申请延期) keep their name; others say that they only ask."""
        word = self._words.word("action", offer.label or offer.action)
        own = BY_STEP[(offer.action, self._case.state)].asked is not FactKind.PROPOSED
        return word if own or not offer.ask else self._words.labels.text("act.proposal", action=word)

    def _input(self, action: Action, each: Input, actor: Actor) -> InputOut:
        own = each.type is InputType.TASK and action in _OWN_SHARE
        earliest, latest = self._limits.between(action) if each.type is InputType.DATETIME else (None, None)
        return InputOut(
            name=each.name,
            type=each.type,
            required=each.required,
            label=self._words.word("input", each.name, action),
            choices=tuple(self._tasks_of(actor) if own else self._choices(action, each)),
            value=self._proposed(each, action) if action in _PROPOSED else None,
            earliest=earliest,
            latest=latest,
        )

    def _choices(self, action: Action, each: Input) -> Iterable[InputChoiceOut]:
        if action is Action.NAME_MEDIATOR and each.type is InputType.PERSON:
            return self._mediators()
        if each.name == "request":
            return [choice for choice in self._requests() if choice.id in each.choices]
        fill = self._fill.get(each.type)
        if fill is not None:
            return fill()
        if each.name == "reason":
            return [InputChoiceOut(id=i, label=self._words.reason(i, self._book)) for i in each.choices]
        return [InputChoiceOut(id=i, label=self._words.word(each.name, i)) for i in each.choices]

    def _proposed(self, each: Input, action: Action) -> str | tuple[str, ...] | None:
        """What the rulebook or the case says already, for fields a person mostly just confirms."""
        case, routed = self._case, self._case.routed
        match each.name:
            case "category":
                return case.category.code if case.category and self._book.category_of(case.category) else None
            case "condition":
                return case.condition
            case "urgency" if action is Action.RECLASSIFY:
                return case.urgency
            case "lead_unit" if routed is not None and routed.lead in self._book.units:
                return routed.lead
            case "co_units" if routed is not None:
                return tuple(unit for unit in routed.co_units if unit in self._book.units)
            case _:
                return None

    # --- choices that the street's data fill ----------------------------------------------------------------------
    def _units(self) -> list[InputChoiceOut]:
        return [InputChoiceOut(id=unit.code, label=unit.name) for unit in self._book.units.values()]

    def _categories(self) -> list[InputChoiceOut]:
        return [InputChoiceOut(id=c.code, label=c.name) for c in self._book.categories.values()]

    def _conditions(self) -> list[InputChoiceOut]:
        """All conditions, since the category may change in the same form; each says which category it belongs to."""
        return [
            InputChoiceOut(id=i, label=self._book.conditions[i].text, of=category.code)
            for category in self._book.categories.values()
            for i in category.conditions
        ]

    def _cells(self) -> list[InputChoiceOut]:
        """The street's cells, those of the case's own community first."""
        directory, spot = self._words.directory, self._case.spot
        own = [c for c in directory.cells.values() if directory.communities[c.community].street == spot.street]
        own.sort(key=lambda cell: (cell.community != spot.community, cell.code))
        words = self._words
        return [InputChoiceOut(id=c.code, label=f"{words.place(c.community)} · {c.name}") for c in own]

    def _people(self) -> list[InputChoiceOut]:
        directory, spot = self._words.directory, self._case.spot
        area = spot.grid or spot.community or spot.street
        found = {
            person.account_id: person.name
            for role in _FIELD_ROLES
            for person in directory.people_with(role, self._now, area=area)
        }
        return [InputChoiceOut(id=account, label=name) for account, name in found.items()]

    def _mediators(self) -> list[InputChoiceOut]:
        """People of the grid, the community and the units that have a share, but not who reported."""
        directory, case = self._words.directory, self._case
        areas = [code for code in (case.spot.grid, case.spot.community) if code]
        routed = case.routed
        units = {case.lead, *(routed.co_units if routed else ()), routed.lead if routed else None} - {None}
        found = {
            person.account_id: person.name
            for role in (Role.COMMUNITY_SECRETARY, Role.GRID_SECRETARY, Role.GRID_WORKER)
            for area in areas
            for person in directory.people_with(role, self._now, area=area)
        }
        found |= {
            person.account_id: person.name
            for unit in sorted(unit for unit in units if unit)
            for person in directory.people_with(Role.HANDLING_UNIT, self._now, unit=unit)
        }
        return [InputChoiceOut(id=i, label=name) for i, name in found.items() if i != case.reporter]

    def _cases(self) -> list[InputChoiceOut]:
        """Those near by that it may repeat; any other number may be given as well."""
        words, now = self._words, self._now
        return [
            InputChoiceOut(
                id=one.case_no,
                label=without_house_numbers(one.summary or one.address),
                detail=words.candidate(one, now),
            )
            for one in self._beside
        ]

    def _tasks(self) -> list[InputChoiceOut]:
        return [self._task(task) for task in self._open_shares()]

    def _tasks_of(self, actor: Actor) -> list[InputChoiceOut]:
        units = {post.unit for post in actor.posts if post.unit is not None}
        return [self._task(task) for task in self._open_shares() if task.unit in units]

    def _open_shares(self) -> Iterator[Task]:
        return (task for task in self._case.tasks if task.state in _OPEN and task.kind == "co")

    def _task(self, task: Task) -> InputChoiceOut:
        words = self._words
        return InputChoiceOut(id=task.task_id, label=words.place(task.unit) or words.word("task_kind", task.kind))

    def _asked(self, request: Request) -> str:
        """What is asked for and by whom: two may ask for the same."""
        parts = (self._words.word("action", request.kind), self._words.person(request.by.account))
        return " · ".join(part for part in parts if part)

    def _requests(self) -> list[InputChoiceOut]:
        return [
            InputChoiceOut(id=request.request_id, label=self._asked(request))
            for request in self._case.requests
            if request.status == "pending"
        ]
