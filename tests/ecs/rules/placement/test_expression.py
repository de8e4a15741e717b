"""The cluster query language: a table of AWS's own examples, and laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.placement.comparison import OPERATORS, Comparison
from moorage.ecs.rules.placement.expression import (
    AllOf,
    AnyOf,
    Expression,
    Not,
    Rejection,
    holds,
    parse,
    written,
)
from moorage.ecs.rules.placement.view import cluster_view
from tests.ecs.rules.builders import a_task, an_instance, instance_arn


def the_host():
    host = an_instance(
        "h1",
        attributes={"ecs.instance-type": "g2.2xlarge", "stack": "prod", "size": "10", "bare": None},
    )
    tasks = [a_task("t1", last_status="RUNNING"), a_task("t2", group="family:db")]
    return cluster_view([host], tasks).hosts[instance_arn("h1")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attribute:ecs.instance-type == g2.2xlarge", True),
        ("attribute:ecs.instance-type != g2.2xlarge", False),
        ("attribute:ecs.instance-type equals g2.2xlarge", True),
        ("attribute:ecs.instance-type =~ g2.*", True),
        ("attribute:ecs.instance-type =~ g2", False),
        ("attribute:ecs.instance-type !~ g2.*", False),
        ("attribute:ecs.instance-type matches (g2|p3)\\.2xlarge", True),
        ("(attribute:ecs.instance-type =~ g2.*)", True),
        ("attribute:ecs.availability-zone in [a, b]", True),
        ("attribute:ecs.availability-zone in ['b', \"c\"]", False),
        ("attribute:ecs.availability-zone !in [b]", True),
        ("attribute:ecs.availability-zone not_in [a]", False),
        ("attribute:stack exists", True),
        ("attribute:bare exists", True),
        ("attribute:gone exists", False),
        ("attribute:gone !exists", True),
        ("attribute:stack not_exists", False),
        ("attribute:gone == x", False),
        ("attribute:gone != x", True),
        ("attribute:size > 9", True),
        ("attribute:size >= 10.0", True),
        ("attribute:size < 9", False),
        ("attribute:size less_than_equal 10", True),
        ("agentConnected == true", True),
        ("agentVersion >= 1.9.0", True),
        ("agentVersion < 1.9", False),
        ("ec2InstanceId == h1", True),
        ("registeredAt > 2018-02-18T22:28:28+00:00", True),
        ("registeredAt == 2027-01-15T08:00:00Z", True),
        ("registeredAt == 2027-01-15T10:00:00+02:00", True),
        ("registeredAt in [2027-01-15T08:00:00]", True),
        ("registeredAt >= 2027-01-15", True),
        ("registeredAt < 2027-01-15T09:30:00+01:00", True),
        ("registeredAt > 2027-01-15T09:00:00+01:00", False),
        ("registeredAt =~ 2027-.*", True),
        ("registeredAt EXISTS", True),
        ("agentConnected != TRUE", False),
        ("agentConnected in [true, false]", True),
        ("runningTasksCount in [3, 1.0]", True),
        ("runningTasksCount == 01", True),
        ("runningTasksCount != 1.0", False),
        ("runningTasksCount == 1.5", False),
        ("runningTasksCount <= 1.0", True),
        ("attribute:stack IN [prod] AND attribute:stack MATCHES p.*", True),
        ("runningTasksCount == 1", True),
        ("runningTasksCount greater_than 1", False),
        ("task:group == service:web", True),
        ("task:group == service:other", False),
        ("not(task:group == family:db)", False),
        ("!(task:group == family:x)", True),
        ("task:group =~ family.*", True),
        ("attribute:stack == prod and attribute:size > 9", True),
        ("attribute:stack == dev or attribute:size > 9", True),
        ("attribute:stack == dev || attribute:gone exists", False),
        ("attribute:stack == prod && !(attribute:gone exists)", True),
        ("attribute:stack == dev and attribute:stack == prod or attribute:size == 10", True),
        ("not attribute:stack == dev and attribute:stack == prod", True),
        ("NOT attribute:stack == dev AND attribute:stack == prod", True),
    ],
)
def test_expressions(text, expected):
    parsed = parse(text)
    assert isinstance(parsed, Expression), parsed
    assert holds(parsed, the_host()) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "attribute:a",
        "attribute:a ==",
        "attribute: == x",
        "colour == red",
        "registeredAt > yesterday",
        "registeredAt in [2027-01-15, soon]",
        "agentConnected == yes",
        "agentConnected > false",
        "runningTasksCount == many",
        "attribute:a in a",
        "attribute:a in [",
        "attribute:a in []",
        "attribute:a in [b",
        "attribute:a == b attribute:c == d",
        "(attribute:a == b",
        "attribute:a == b)",
        "attribute:a == b and",
        "attribute:a =~",
        "attribute:a =~ (",
        "attribute:a =~ '(?=x)'",
        "attribute:a == 'unclosed",
        "attribute:a == b & attribute:c == d",
        "!" * 60 + "attribute:a exists",
        "attribute:a == b 'c'",
        "attribute:a =~ a'b\"c",
        "(" * 60 + "attribute:a == b" + ")" * 60,
        "attribute:a in [" + ", ".join(["x"] * 101) + "]",
        "attribute:a == " + "b" * 2000,
    ],
)
def test_what_is_no_expression_says_why(text):
    parsed = parse(text)
    assert isinstance(parsed, Rejection)
    assert parsed.message
    assert 0 <= parsed.position <= max(len(text), 2000)


VALUES = st.text(alphabet="abcXYZ019._-:/@ '", min_size=1, max_size=12)
SUBJECTS = st.sampled_from(["task:group", "agentVersion"]) | st.from_regex(
    r"attribute:[a-z.]{1,8}", fullmatch=True
)
PLAIN = sorted(set(OPERATORS.values()) - {"=~", "!~", "exists", "!exists", "in", "!in"})
COMPARISONS = (
    st.builds(
        lambda subject, operator, value: Comparison(
            subject=subject, operator=operator, values=(value,)
        ),
        SUBJECTS,
        st.sampled_from(PLAIN),
        VALUES,
    )
    | st.builds(
        lambda subject, operator, values: Comparison(
            subject=subject, operator=operator, values=tuple(values)
        ),
        SUBJECTS,
        st.sampled_from(["in", "!in"]),
        st.lists(VALUES, min_size=1, max_size=4),
    )
    | st.builds(
        lambda subject, operator: Comparison(subject=subject, operator=operator),
        SUBJECTS,
        st.sampled_from(["exists", "!exists"]),
    )
)
NODES = st.recursive(
    COMPARISONS,
    lambda inner: (
        st.builds(lambda one: Not(inner=one), inner)
        | st.builds(
            lambda parts: AllOf(parts=tuple(parts)), st.lists(inner, min_size=2, max_size=3)
        )
        | st.builds(
            lambda parts: AnyOf(parts=tuple(parts)), st.lists(inner, min_size=2, max_size=3)
        )
    ),
    max_leaves=8,
)


@given(NODES)
def test_what_is_written_parses_to_the_same(node):
    text = written(node)
    parsed = parse(text)
    if len(text) <= 2000:
        assert parsed == Expression(root=node)


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(
            ["attribute:a", "==", "=~", "in", "[", "]", "(", ")", "!", "and", "or", "x", ",", "'"]
        ),
        max_size=20,
    ).map(" ".join)
)
def test_no_text_makes_it_raise(text):
    parsed = parse(text)
    if isinstance(parsed, Expression):
        assert holds(parsed, the_host()) in {True, False}
        assert parse(written(parsed.root)) == parsed


@given(NODES)
def test_a_negated_operator_is_true_where_its_opposite_is_false(node):
    host = the_host()
    assert holds(Expression(root=Not(inner=node)), host) is not holds(Expression(root=node), host)
