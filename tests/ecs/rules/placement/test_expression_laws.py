"""Laws of the cluster query language: precedence, negation, and that operators agree."""

import re

from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.placement.expression import AllOf, AnyOf, Expression, Not, holds, parse
from moorage.ecs.rules.placement.view import cluster_view
from tests.ecs.rules.builders import a_task, an_instance, instance_arn

VALUES = st.sampled_from(["a", "b", "10", "9", "1.9.0", "1.10.0", "prod-1", "x y"])
HOSTS = st.builds(
    lambda attributes, groups: cluster_view(
        [an_instance("h1", attributes=attributes)],
        [a_task(f"t{number}", group=group) for number, group in enumerate(groups)],
    ).hosts[instance_arn("h1")],
    st.dictionaries(st.sampled_from(["p", "q", "r"]), VALUES | st.none(), max_size=3),
    st.lists(st.sampled_from(["service:web", "family:db"]), max_size=2),
)
COMPARISONS = st.one_of(
    st.builds(
        lambda name, sign, value: f"attribute:{name} {sign} '{value}'",
        st.sampled_from(["p", "q", "r"]),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
        VALUES,
    ),
    st.sampled_from(["attribute:p exists", "attribute:q !exists", "task:group == service:web"]),
)


def node(text):
    parsed = parse(text)
    assert isinstance(parsed, Expression), parsed
    return parsed.root


def true_of(text, host) -> bool:
    return holds(Expression(root=node(text)), host)


@given(COMPARISONS, COMPARISONS, COMPARISONS)
def test_not_binds_before_and_and_before_or(one, two, three):
    a, b, c = node(one), node(two), node(three)
    assert node(f"{one} or {two} and {three}") == AnyOf(parts=(a, AllOf(parts=(b, c))))
    assert node(f"{one} && {two} || {three}") == AnyOf(parts=(AllOf(parts=(a, b)), c))
    assert node(f"not {one} and {two}") == AllOf(parts=(Not(inner=a), b))
    assert node(f"({one} or {two}) and {three}") == AllOf(parts=(AnyOf(parts=(a, b)), c))
    assert node(f"!({one} || {two})") == Not(inner=AnyOf(parts=(a, b)))


@given(COMPARISONS, COMPARISONS, HOSTS)
def test_the_joints_mean_what_logic_says(one, two, host):
    a, b = true_of(one, host), true_of(two, host)
    assert true_of(f"{one} and {two}", host) is (a and b)
    assert true_of(f"{one} or {two}", host) is (a or b)
    assert true_of(f"not ({one})", host) is not a
    both = f"not ({one} and {two})"
    assert true_of(both, host) is true_of(f"not ({one}) or not ({two})", host)


@given(st.sampled_from(["attribute:p", "attribute:q", "task:group", "agentVersion"]), VALUES, HOSTS)
def test_operators_that_say_the_same_agree(subject, value, host):
    equal = true_of(f"{subject} == '{value}'", host)
    assert true_of(f"{subject} in ['{value}']", host) is equal
    assert true_of(f"{subject} =~ '{re.escape(value)}'", host) is equal
    assert true_of(f"{subject} equals '{value}'", host) is equal
    for sign in ("!=", "not_equals"):
        assert true_of(f"{subject} {sign} '{value}'", host) is not equal
    assert true_of(f"{subject} !in ['{value}']", host) is not equal
    assert true_of(f"{subject} !~ '{re.escape(value)}'", host) is not equal
    assert true_of(f"{subject} not_exists", host) is not true_of(f"{subject} exists", host)


@given(VALUES, HOSTS)
def test_of_a_value_that_is_there_exactly_one_order_holds(value, host):
    there = true_of("attribute:p exists", host)
    orders = [true_of(f"attribute:p {sign} '{value}'", host) for sign in ("<", ">")]
    at_most = true_of(f"attribute:p <= '{value}'", host)
    at_least = true_of(f"attribute:p >= '{value}'", host)
    assert sum(orders) <= 1
    assert at_most is (there and not orders[1])
    assert at_least is (there and not orders[0])
