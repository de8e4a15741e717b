"""The properties by their names, and on which share of the cases asked for each is judged."""

from tests.ecs.properties import (
    clusters,
    place_laws,
    requests,
    service_cases,
    service_laws,
    service_story,
    transactions,
)
from tests.ecs.properties.drawing import Property

PROPERTIES = {
    "place": Property(name="place", draw=clusters.drawn, law=place_laws.holds, told=requests.told),
    "reconcile": Property(
        name="reconcile",
        draw=service_cases.drawn,
        law=service_laws.holds,
        told=service_story.told,
    ),
    "transactions": Property(
        name="transactions",
        draw=transactions.drawn,
        law=transactions.holds,
        told=transactions.told,
    ),
}
# In percent. Whole transactions cost a hundred times as much as decisions.
SHARES = {"place": 100, "reconcile": 100, "transactions": 1}
