//! What views give, by example.

use crate::support::{Tables, row, run, run_with_errors};
use lasp_dataflow::{F64, Value};

fn people() -> Tables {
    let person = |name: &str, age: i64, city: &str| {
        row([("name", Value::text(name)), ("age", Value::Int(age)), ("city", Value::atom(city))])
    };
    let nobody = row([("name", Value::text("Zoe"))]);
    let people = vec![person("Ann", 31, "oslo"), person("Bob", 17, "rome"), person("Cid", 17, "oslo"), nobody];
    let city = |name: &str, country: &str| row([("name", Value::text(name)), ("country", Value::text(country))]);
    let cities = vec![city("oslo", "Norway"), city("rome", "Italy"), city("bern", "Switzerland")];
    let points = vec![Value::tuple([1, 2]), Value::tuple([3, 4])];
    Tables::from([("people", people), ("cities", cities), ("points", points), ("none", vec![])])
}

/// The rows as they print.
fn shown(sql: &str) -> Vec<String> {
    run(sql, &people()).iter().map(ToString::to_string).collect()
}

#[test]
fn rows_are_chosen_and_columns_shown() {
    assert_eq!(shown("create view adults as select name from people where age >= 18"), [r#"#{name => "Ann"}"#]);
    assert_eq!(
        shown("SELECT Name AS who, age * 2 + 1 AS twice FROM people WHERE NOT (age > 18) AND city = 'rome'"),
        [r#"#{twice => 35, who => "Bob"}"#]
    );
    assert_eq!(shown("select age from people where age is not null"), ["#{age => 17}", "#{age => 31}"]);
    assert_eq!(shown("select \"name\" from people where city is null"), [r#"#{name => "Zoe"}"#]);
}

#[test]
fn null_is_neither_true_nor_false_and_no_column() {
    assert_eq!(shown("select age from people where name = 'Zoe'"), ["#{}"]);
    assert_eq!(shown("select name from people where age < 18 or age >= 18").len(), 3);
    assert_eq!(shown("select name from people where age not in (1, null)"), [""; 0]);
    assert_eq!(shown("select name from people where (age > 1) is not true"), [r#"#{name => "Zoe"}"#]);
    assert_eq!(
        shown("select coalesce(age, 0) as age from people where age is not distinct from null"),
        ["#{age => 0}"]
    );
    // A missing city joins with nothing, not even another missing one.
    assert_eq!(shown("select a.name as a, b.name as b from people a join people b on a.city = b.city").len(), 5);
}

#[test]
fn a_star_stands_for_the_row() {
    assert_eq!(shown("select * from cities where country like '%way'"), [r#"#{country => "Norway", name => "oslo"}"#]);
    let sql = "select p.*, c.country from people p join cities c on p.city = c.name where p.age > 18";
    assert_eq!(shown(sql), [r#"#{age => 31, city => oslo, country => "Norway", name => "Ann"}"#]);
    let (rows, errors) = run_with_errors("select * from people p join cities c on p.city = c.name", &people());
    assert_eq!((rows.len(), errors.len()), (0, 3), "a person and a city have names that differ");
}

#[test]
fn an_undefined_value_is_null_wherever_it_is_shown() {
    let tables = Tables::from([("t", vec![row([("a", Value::Int(1)), ("b", Value::atom("undefined"))])])]);
    let one = vec![row([("a", Value::Int(1))])];
    for sql in ["select * from t", "select a, b from t", "select t.* from t", "select * from t where b is null"] {
        assert_eq!(run(sql, &tables).into_iter().collect::<Vec<_>>(), one, "{sql}");
    }
}

#[test]
fn tuples_are_rows_whose_fields_are_named_on_the_spot() {
    assert_eq!(shown("select x + y as sum from points as p(x, y) where y > 2"), ["#{sum => 7}"]);
    assert_eq!(shown("select * from points as p(x, y)"), ["#{x => 1, y => 2}", "#{x => 3, y => 4}"]);
    let (_, errors) = run_with_errors("select x from points as p(x, y, z)", &people());
    assert_eq!(&*errors[0].message, "expected a tuple of 3, found a tuple {1, 2}");
    assert_eq!(errors[0].at, Some((7, 8)));
}

#[test]
fn tables_are_joined_in_any_number() {
    let sql = "select a.name as a, b.name as b, country from people a, people b, cities c \
               where a.city = b.city and b.city = c.name and a.name < b.name and c.country <> 'x'";
    let known = |sql: &str| sql.replace(", country", ", c.country");
    assert_eq!(shown(&known(sql)), [r#"#{a => "Ann", b => "Cid", country => "Norway"}"#]);
    assert_eq!(shown("select a.x as x, b.x as z from points a(x, y) cross join points b(x, y)").len(), 4);
    assert_eq!(shown("select a.x as p, b.y as q from points a(x, y) join points b(x, y) on a.x < b.x").len(), 1);
}

#[test]
fn groups_are_counted_and_summed() {
    assert_eq!(
        shown("select city, count(*), sum(age) as years, min(name) as first from people group by city"),
        [
            r#"#{city => oslo, count => 2, first => "Ann", years => 48}"#,
            r#"#{city => rome, count => 1, first => "Bob", years => 17}"#,
            r#"#{count => 1, first => "Zoe"}"#,
        ]
    );
    let sql = "select age / 10 as decade, count(*) as n from people where age > 0 group by decade having n > 1";
    assert_eq!(shown(sql), ["#{decade => 1, n => 2}"]);
    assert_eq!(shown("select upper(city) as c from people group by city having max(age) > 20"), [r#"#{c => "OSLO"}"#]);
    assert_eq!(shown("select city from people group by 1").len(), 3);
}

#[test]
fn equal_values_of_different_rows_count_each_unless_distinct() {
    let sql = "select sum(age) as s, count(age) as n, count(distinct age) as d, sum(distinct age) as ds, avg(age) as m \
               from people";
    assert_eq!(shown(sql), [format!("#{{d => 2, ds => 48, m => {}, n => 3, s => 65}}", 65.0 / 3.0)]);
    let by_city = "select city, count(distinct age) as d, count(distinct name) as e, count(*) as n from people \
                   where city is not null group by city";
    assert_eq!(shown(by_city), ["#{city => oslo, d => 2, e => 2, n => 2}", "#{city => rome, d => 1, e => 1, n => 1}"]);
    assert_eq!(shown("select count(*) filter (where age < 18) as n from people"), ["#{n => 2}"]);
}

#[test]
fn all_rows_are_one_group_also_none_at_all() {
    assert_eq!(shown("select count(*) as n, sum(a) as s, max(a) as m, avg(a) as v from none"), ["#{n => 0}"]);
    assert_eq!(shown("select count(*) as n from none group by a"), [""; 0]);
    assert_eq!(shown("select count(*) as n from none having count(*) > 0"), [""; 0]);
    assert_eq!(shown("select 1 as one from none having true"), ["#{one => 1}"]);
}

#[test]
fn queries_are_united_intersected_and_subtracted_by_position() {
    assert_eq!(
        shown("select city as place from people where age > 0 union select name from cities where name = 'bern'"),
        ["#{place => oslo}", "#{place => rome}", r#"#{place => "bern"}"#]
    );
    assert_eq!(shown("select x as n from points p(x, y) except select 3 as m from points p(x, y)"), ["#{n => 1}"]);
    assert_eq!(
        shown("create view v (a) as select age from people intersect (select 17 as x from points p(x, y))"),
        ["#{a => 17}"]
    );
}

#[test]
fn expressions_compute() {
    let float = |x: f64| Value::Float(F64::new(x).expect("finite"));
    for (expr, expected) in [
        ("7 / 2", Value::Int(3)),
        ("-7 / 2", Value::Int(-3)),
        ("7 / 2.0", float(3.5)),
        ("7 % 3", Value::Int(1)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("1 = 1.0", Value::Bool(true)),
        ("1 = 'x'", Value::Bool(false)),
        ("'a' || 1 || null", Value::Bool(false)),
        ("'it''s' || 1", Value::text("it's1")),
        ("case when false then 1 when null then 2 else 3 end", Value::Int(3)),
        ("case 2 when 1 then 'a' when 2 then 'b' end", Value::text("b")),
        ("length('añb') + abs(-2)", Value::Int(5)),
        ("nullif(1, 2)", Value::Int(1)),
        ("5 between 1 and 5", Value::Bool(true)),
        ("5 not between 6 and null", Value::Bool(true)),
        ("'Abc' ilike 'a%'", Value::Bool(true)),
        ("'a_c' like 'a!_c' escape '!'", Value::Bool(true)),
        ("true and not false or null", Value::Bool(true)),
    ] {
        let rows = run(&format!("select coalesce({expr}, false) as v from points as p(x, y)"), &people());
        assert_eq!(rows.into_iter().collect::<Vec<_>>(), [row([("v", expected)])], "{expr}");
    }
}

#[test]
fn what_fails_on_a_row_says_where() {
    for (sql, place, message) in [
        ("select 1 / (x - x) as v from points p(x, y)", "x", "division by zero"),
        ("select x + 'a' as v from points p(x, y)", "x", "`+` takes numbers, found an integer 1 and a text \"a\""),
        ("select x as v from points p(x, y) where x", "x", "a condition is true, false or null, found an integer 1"),
        ("select x as v from points p(x, y) where x < 'a'", "x", "there is no order between an integer 1"),
        ("select v from points", "v", "a row is a map from columns to values, found a tuple {1, 2}"),
        ("select 9223372036854775807 + x as v from points p(x, y)", "x", "the result does not fit in 64 bits"),
    ] {
        let (rows, errors) = run_with_errors(sql, &people());
        assert_eq!((rows.len(), errors.len()), (0, 2), "{sql}");
        assert!(errors[0].message.starts_with(message), "{}", errors[0]);
        let (start, end) = errors[0].at.expect("a place");
        assert!(sql[start as usize..end as usize].starts_with(place), "{sql}: {start}..{end}");
    }
}
