//! `sql` in programs: what its tables are, what it gives, and where its errors stand.

use crate::support::{attempt, failure, last, run};
use lasp_lang::Line;

const PEOPLE: &str = "
People = declare(people, set),
update(People, {add, [#{name => \"Ann\", age => 31, city => oslo}, #{name => \"Bob\", age => 17, city => rome},
                      #{name => \"Cid\", age => 17, city => oslo}]}).
";

fn view(form: &str) -> String {
    last(&format!("{PEOPLE} {form}."))
}

#[test]
fn a_view_follows_its_table() {
    let text = "
        Adults = sql(\"create view adults as select name from people where age >= 18\").
        update(People, {add, #{name => \"Dora\", age => 40}}), Adults.
        update(People, {rmv, #{name => \"Ann\", age => 31, city => oslo}}), Adults.";
    let lines = run(&format!("{PEOPLE} {text}"));
    assert_eq!(
        lines[1..],
        ["set[#{name => \"Ann\"}]", "set[#{name => \"Ann\"}, #{name => \"Dora\"}]", "set[#{name => \"Dora\"}]"]
    );
}

#[test]
fn tables_are_bindings_then_views_and_declared_names() {
    let bound = "sql(\"select name from staff where age > 18\", #{staff => People})";
    assert_eq!(view(bound), "set[#{name => \"Ann\"}]");
    assert_eq!(
        view("sql(\"select name from People where age > 18\", #{'People' => People})"),
        "set[#{name => \"Ann\"}]"
    );
    assert_eq!(view("sql(\"SELECT age FROM PEOPLE\")"), "set[#{age => 17}, #{age => 31}]");
    let twice = "sql(\"create view minors as select name, city from people where age < 18\"),
                 sql(\"select city from minors where name = 'Cid'\")";
    assert_eq!(view(twice), "set[#{city => oslo}]");
    let replaced = "sql(\"create view v as select name from people\"),
                    sql(\"create or replace view v as select age from people\"),
                    sql(\"select age + 1 as n from v\")";
    assert_eq!(view(replaced), "set[#{n => 18}, #{n => 32}]");
    let quoted = "declare(\"ads/1\", set), sql(\"select x from \\\"ads/1\\\" as t(x)\")";
    assert_eq!(view(quoted), "set[]");
}

#[test]
fn a_view_is_a_variable_like_any_other() {
    assert_eq!(view("fold(sql(\"select name from people\"), count)"), "3");
    assert_eq!(view("map(sql(\"select age from people\"), fun(#{age := N}) -> N end)"), "set[17, 31]");
    let joined =
        "sql(\"select a.name as a, b.name as b from people a, people b where a.city = b.city and a.age > b.age\")";
    assert_eq!(view(joined), "set[#{a => \"Ann\", b => \"Cid\"}]");
    assert_eq!(
        view("Into = declare(set), bind_to(Into, sql(\"select age from people\"))"),
        "set[#{age => 17}, #{age => 31}]"
    );
}

#[test]
fn groups_sums_and_differences() {
    let by_city = "sql(\"select city, count(*) as n, avg(age) as age from people group by city having count(*) > 1\")";
    assert_eq!(view(by_city), "set[#{age => 24.0, city => oslo, n => 2}]");
    let all = "sql(\"select count(*), sum(age), min(name), count(distinct city) as cities from people\")";
    assert_eq!(view(all), "set[#{cities => 2, count => 3, min => \"Ann\", sum => 65}]");
    assert_eq!(view("sql(\"select count(*), max(age) from people where age > 90\")"), "set[#{count => 0}]");
    let rest = "sql(\"select city from people except select city from people where age > 18\")";
    assert_eq!(view(rest), "set[#{city => rome}]");
    let later = "V = sql(\"select city, sum(age) as s from people group by city\"),
                 update(People, {rmv, #{name => \"Cid\", age => 17, city => oslo}}), V";
    assert_eq!(view(later), "set[#{city => oslo, s => 31}, #{city => rome, s => 17}]");
}

#[test]
fn an_error_stands_in_the_text_where_it_is() {
    let text = "declare(people, set),\nsql(\"select \\\"name\\\" from people\\n where age >\").\n";
    let expected = "\
error: expected: an expression, found: EOF
 --> test.lasp:2:47
  |
2 | sql(\"select \\\"name\\\" from people\\n where age >\").
  |                                               ^";
    assert_eq!(failure(text).trim_end(), expected);
    let failed = failure("V = declare(v, set), sql(\"select sum(x) over () as s from v\").");
    assert!(failed.contains("window functions are not supported"), "{failed}");
    assert!(failed.contains("                                       ^^^^"), "{failed}");
}

#[test]
fn what_only_running_tells_stands_there_too() {
    let missing = failure(&format!("{PEOPLE}\nsql(\"select name from peple\")."));
    assert!(missing.contains("there is no table `peple`") && missing.contains("did you mean `people`?"), "{missing}");
    assert!(missing.contains("sql(\"select name from peple\")") && missing.contains("^^^^^"), "{missing}");
    let computed = failure(&format!("{PEOPLE}\nText = \"select x from \" ++ \"nowhere\", sql(Text)."));
    assert!(computed.contains("--> SQL:1:15"), "{computed}");
    let column =
        failure(&format!("{PEOPLE} sql(\"create view v as select name from people\"), sql(\"select age from v\")."));
    assert!(column.contains("there is no column `age`") && column.contains("`v` has name"), "{column}");
    for (form, message) in [
        ("declare(c, gcounter), sql(\"select x from c\")", "`c` is no table but a variable of type gcounter"),
        ("X = lists:sum([1]), sql(X)", "`sql` takes a text, found an integer 1"),
        ("sql(\"create view people as select name from people\")", "there is a variable called `people` already"),
        (
            "sql(\"create view v as select name from people\"), sql(\"create view v as select age from people\")",
            "there is a view called `v` already",
        ),
        ("M = #{1 => People}, sql(\"select name from people\", M)", "expected tables, found a variable"),
    ] {
        let failed = failure(&format!("{PEOPLE} {form}."));
        assert!(failed.contains(message), "{failed}");
    }
}

#[test]
fn what_is_wrong_before_running_is_told_before_running() {
    for (form, message) in [
        ("sql(42)", "`sql` takes a text, found an integer"),
        ("sql(People)", "`sql` takes values, and this is a variable"),
        ("sql(\"select a from t\", #{t => 1})", "`sql` takes a declared variable, found an integer"),
        ("C = declare(gcounter), sql(\"select a from t\", #{t => C})", "a table is a collection, found a gcounter"),
        ("sql(\"delete from people\")", "this statement is not supported"),
    ] {
        let (lines, stop) = attempt(&format!("{PEOPLE} {form}."));
        assert_eq!(lines, [], "{form}");
        assert!(stop.as_ref().is_some_and(|stop| stop.contains(message)), "{stop:?}");
    }
}

#[test]
fn a_row_that_fails_is_left_out_and_its_place_told() {
    let (lines, stop) = attempt(
        "T = declare(t, set), update(T, {add, [#{a => 1}, #{a => 0}, #{a => x}]}), sql(\"select 6 / a as b from t\").",
    );
    assert_eq!(stop, None);
    assert_eq!(lines.last().map(ToString::to_string).as_deref(), Some("set[#{b => 6}]"));
    let reports: Vec<_> = lines
        .iter()
        .filter_map(|line| match line {
            Line::DerivationFailed { message, report, .. } => Some((message.clone(), report.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(reports.len(), 2, "{lines:?}");
    for (message, report) in reports {
        let (source, diagnostic) = report.expect("a place");
        assert_eq!((source.name(), source.slice(diagnostic.span)), ("test.lasp", "a"), "{message}");
    }
}
