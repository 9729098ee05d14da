"""The services on offer: the classes of the street's rulebook, and "unsure"; what each asks for comes from its filing
conditions.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.api.open311 import AttributeOut, DefinitionOut, ServiceOut, ValueOut
from schemas.labels import Labels
from services.governance.acts import CategoryRef
from services.governance.rulebook import Category, Rulebook
from services.intake.store.open311 import UNSURE, Classes
from services.intake.usecases.refusal import Refusal

NOTICE = "notice"
CONDITION = "condition"
DANGER = "danger"
LANDMARK = "landmark"
OCCURRED = "occurred_at"
YES, NO = "yes", "no"


def services_of(book: Rulebook, labels: Labels) -> list[ServiceOut]:
    """Every class in the rulebook's order, "unsure" last."""
    return [*(_service(category, book, labels) for category in book.categories.values()), _unsure(labels)]


def definition_of(book: Rulebook, code: str, labels: Labels) -> DefinitionOut:
    """What a service asks for. Raises Refusal 404 for one that is not on offer."""
    return DefinitionOut(service_code=code, attributes=tuple(_attributes(book, class_of(book, code), labels)))


def class_of(book: Rulebook, code: str) -> Category | None:
    """The class of a service; None is "unsure". Raises Refusal 404."""
    found = book.categories.get(code)
    if found is None and code != UNSURE:
        raise Refusal("service_unknown", "service_code", status=404)
    return found


def classes_of(book: Rulebook) -> Classes:
    """What the store needs to know of the rulebook."""
    categories = book.categories.values()
    names = {category.code: tuple(ref.code for ref in category.also) for category in categories}
    hidden = {code for each in categories if each.restricted for code in (each.code, *names[each.code])}
    return Classes(frozenset(hidden), frozenset(s.id for s in book.sources.values() if s.restricted), names)


def named(book: Rulebook, scheme: str | None, edition: str | None, code: str | None) -> Category | None:
    """The class a report was filed under, under whatever name."""
    if scheme is None or edition is None or code is None:
        return None
    return book.category_of(CategoryRef(scheme, edition, code))


def _service(category: Category, book: Rulebook, labels: Labels) -> ServiceOut:
    told = [book.conditions[each].text for each in category.conditions]
    group = labels.text(f"tile.{category.group_tile}")
    return ServiceOut(
        service_code=category.code,
        service_name=category.name,
        description="；".join(dict.fromkeys(told)),
        metadata=True,
        keywords=",".join(dict.fromkeys((category.name, group, *(ref.code for ref in category.also)))),
        group=group,
    )


def _unsure(labels: Labels) -> ServiceOut:
    name = labels.text("form.unsure")
    told = labels.text("open311.unsure")
    return ServiceOut(
        service_code=UNSURE, service_name=name, description=told, metadata=True, keywords=name, group=name
    )


def _attributes(book: Rulebook, category: Category | None, labels: Labels) -> Iterator[AttributeOut]:
    order = 1
    yield AttributeOut(
        variable=False,
        code=NOTICE,
        datatype="text",
        required=False,
        order=order,
        description=labels.text("open311.notice"),
    )
    if category is not None:
        order += 1
        values = [ValueOut(key=each, name=book.conditions[each].text) for each in category.conditions]
        yield _asked(CONDITION, "singlevaluelist", order, labels, values)
    choices = [ValueOut(key=key, name=labels.text(f"open311.{key}")) for key in (NO, YES)]
    yield _asked(DANGER, "singlevaluelist", order + 1, labels, choices)
    yield _asked(LANDMARK, "string", order + 2, labels)
    yield _asked(OCCURRED, "datetime", order + 3, labels)


def _asked(code: str, datatype: str, order: int, labels: Labels, values: list[ValueOut] | None = None) -> AttributeOut:
    return AttributeOut.model_validate(
        {
            "variable": True,
            "code": code,
            "datatype": datatype,
            "required": False,
            "datatype_description": labels.text(f"open311.{code}.form"),
            "order": order,
            "description": labels.text(f"open311.{code}"),
            "values": values,
        }
    )
