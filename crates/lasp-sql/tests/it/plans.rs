//! Which operators a view becomes.

use lasp_sql::{Columns, Input, compile};
use std::sync::Arc;

fn plan(sql: &str) -> Vec<String> {
    let view = compile(sql, &|_| Ok(Columns::Any)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let input = |input: &Input| match input {
        Input::Table(at) => view.tables[*at].to_string(),
        Input::Step(at) => at.to_string(),
    };
    let step = |step: &lasp_sql::Step| {
        let inputs: Vec<String> = step.inputs.iter().map(input).collect();
        format!("{:?} of {}", step.operator, inputs.join(" and "))
    };
    view.steps.iter().map(step).collect()
}

#[test]
fn conditions_go_to_the_earliest_place_and_equalities_become_joins() {
    assert_eq!(
        plan("select p.name from people p, cities c where p.city = c.name and p.age > 17 and c.size > p.age"),
        [
            "filter(p.age > 17) of people",
            "join(p.city, c.name) of 0 and cities",
            "filter(c.size > p.age) of 1",
            "map(p.name as name) of 2",
        ]
    );
    assert_eq!(
        plan("select a.x from t a join t b on a.x = b.x and b.y = a.y and a.z = b.z + 1 cross join u"),
        ["join(a.x, a.y, a.z, b.x, b.y, b.z + 1) of t and t", "product of 0 and u", "map(a.x as x) of 1",]
    );
}

#[test]
fn tables_are_joined_along_equalities_whatever_their_order() {
    assert_eq!(
        plan("select a.x from a, b, c where a.x = c.x and c.y = b.y"),
        ["join(a.x, c.x) of a and c", "join(c.y, b.y) of 0 and b", "map(a.x as x) of 1"]
    );
}

#[test]
fn aggregates_share_what_they_keep() {
    assert_eq!(
        plan("select dept, sum(pay) as s, avg(pay) as a, count(pay) as n from staff group by dept"),
        [
            "group(dept, [{sum, coalesce(pay, 0)}, {sum, case when pay is null then 0 else 1 end}]) of staff",
            "map(dept, sum(pay) as s, avg(pay) as a, count(pay) as n) of 0",
        ]
    );
    assert_eq!(plan("select dept from staff group by dept"), ["map(dept) of staff", "map(dept) of 0"]);
}

#[test]
fn equal_functions_tell_so_and_different_ones_do_not() {
    let identity = |sql: &str| -> Option<Arc<str>> {
        let view = compile(sql, &|_| Ok(Columns::Any)).expect("it is a view");
        match &view.steps[0].operator {
            lasp_dataflow::Operator::Filter(f) => f.identity(),
            other => panic!("{other:?}"),
        }
    };
    let first = identity("select a from t where a > 1 and b = 'x'");
    assert!(first.is_some());
    assert_eq!(first, identity("select b, c from   u as other where other.a > 1 AND (b = 'x')"));
    assert_ne!(first, identity("select a from t where a > 1.0 and b = 'x'"));
    assert_ne!(first, identity("select a from t as t(a, b) where a > 1 and b = 'x'"));
}

#[test]
fn what_a_view_shows_is_known_where_it_can_be() {
    let columns = |sql: &str, table: Columns| compile(sql, &|_| Ok(table.clone())).expect("a view").columns;
    let listed = |names: &[&str]| Columns::Listed(names.iter().map(|name| (*name).into()).collect());
    assert_eq!(columns("create view v as select a, b as c from t", Columns::Any), listed(&["a", "c"]));
    assert_eq!(columns("select *, 1 as c from t", listed(&["a", "b"])), listed(&["a", "b", "c"]));
    assert_eq!(columns("select *, 1 as c from t", Columns::Any), Columns::Any);
    assert_eq!(columns("create view v (x, y) as select * from t", listed(&["a", "b"])), listed(&["x", "y"]));
    assert_eq!(columns("select * from t as p(u, v)", Columns::Any), listed(&["u", "v"]));
    let view = compile("create or replace view V as select a from t", &|_| Ok(Columns::Any)).expect("a view");
    assert_eq!((view.name.as_deref(), view.replaces, view.tables), (Some("v"), true, vec!["t".into()]));
}
