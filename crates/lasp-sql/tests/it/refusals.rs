//! What is refused, with its place and advice.

use lasp_sql::{Columns, NoTable, SqlError, check, compile};

fn tables(name: &str) -> Result<Columns, NoTable> {
    match name {
        "t" | "u" => Ok(Columns::Any),
        "listed" => Ok(Columns::Listed(vec!["a".into(), "b".into()])),
        _ => {
            Err(NoTable { message: format!("there is no table `{name}`"), hint: Some("there are t, u, listed".into()) })
        }
    }
}

fn error(sql: &str) -> SqlError {
    compile(sql, &tables).expect_err(sql)
}

/// What the carets stand under, and the message.
fn refused(sql: &str) -> (String, String) {
    let error = error(sql);
    (sql[error.span.start as usize..error.span.end as usize].to_owned(), error.message)
}

#[test]
fn what_is_not_supported_is_named_where_it_stands() {
    for (sql, place, message) in [
        ("select a from t order by a", "order", "`order by` is not supported"),
        ("select a from t\nlimit 3", "limit", "`limit` is not supported"),
        ("select a from t left join u on t.a = u.a", "left", "outer joins are not supported"),
        ("select a from t full outer join u on t.a = u.a", "full", "outer joins are not supported"),
        ("select a from (select a from t) x", "select a from t) x", "subqueries are not supported"),
        ("select a from t where a in (select a from u)", "a in (select a from u", "subqueries are not supported"),
        ("select sum(a) over (partition by b) as s from t", "over", "window functions are not supported"),
        ("insert into t values (1)", "insert into t values (1)", "this statement is not supported"),
        ("delete from t", "delete from t", "this statement is not supported"),
        ("select a from t union all select a from u", "all", "`union all` is not supported"),
        ("with x as (select a from t) select a from x", "with", "`with` is not supported"),
        ("select a from t join u using (a)", "using", "`using` is not supported"),
        ("select a from t natural join u", "natural", "`natural` is not supported"),
        ("select distinct on (a) a from t", "on", "`distinct on` is not supported"),
        ("select cast(a as int) as b from t", "a", "this expression is not supported"),
        ("select a & 1 as b from t", "a & 1", "the operator `&` is not supported"),
        ("create temporary view v as select a from t", "temporary", "this form of `create view` is not supported"),
        ("select a from t group by all", "group", "`group by all` is not supported"),
        ("select a from t group by rollup(a)", "a", "this expression is not supported"),
    ] {
        assert_eq!(refused(sql), (place.to_owned(), message.to_owned()), "{sql}");
        // Nothing of this depends on the tables.
        assert_eq!(check(sql).expect_err(sql).message, message);
    }
}

#[test]
fn names_are_looked_up() {
    for (sql, place, message) in [
        ("select a from nowhere", "nowhere", "there is no table `nowhere`"),
        ("select x.a from t", "x", "this query has no table `x`"),
        ("select a from listed where listed.c = 1", "c", "`listed` has no column `c`"),
        ("select c from listed", "c", "there is no column `c`"),
        ("select a from t, u", "a", "`a` may be a column of several tables"),
        ("select t.a from t, t", "t", "two tables are called `t` here"),
        ("select a from t as p(x, y)", "a", "there is no column `a`"),
        ("select a, a from t", "select a, a from t", "two columns are called `a`"),
        ("select a + 1 from t", "a + 1", "this column has no name"),
        ("select median(a) from t", "median", "there is no function `median`"),
        ("select a from s.t", "s.t", "a table has a name of one part"),
    ] {
        let (found, text) = refused(sql);
        assert_eq!(text, message, "{sql}");
        assert!(found.starts_with(place) || sql.starts_with(&found), "{sql}: {found}");
    }
    assert_eq!(error("select c from listed").hint.as_deref(), Some("`listed` has a, b"));
    assert_eq!(error("select a from t, u").hint.as_deref(), Some("say of which, such as `t.a`"));
    // What the tables may still tell is no error.
    check("select a, b from anything, at_all where c = d").expect("it may be a view");
    assert_eq!(compile("select b from listed, listed as l(x, y)", &tables).map(|view| view.steps.len()), Ok(2));
}

#[test]
fn aggregates_stand_where_groups_are() {
    for (sql, place, message) in [
        ("select a, count(*) from t", "a", "`a` is neither in `group by` nor in an aggregate"),
        ("select b from t group by a", "b", "`b` is neither in `group by` nor in an aggregate"),
        ("select * from t group by a", "*", "`*` cannot be shown of a group"),
        ("select a from t where count(*) > 1", "count", "`count` cannot stand here"),
        ("select sum(max(a)) as s from t", "max", "`max` cannot stand here"),
        ("select count(*) as n from t group by n", "n", "an aggregate cannot be grouped by"),
        ("select sum(*) as n from t", "sum", "an argument is an expression"),
        ("select lower(distinct a) as n from t", "lower", "`lower` is no aggregate"),
        ("select a from t having b > 1", "a", "`a` is neither in `group by` nor in an aggregate"),
        ("select a from t group by 2", "2", "there is no column 2 to group by"),
    ] {
        assert_eq!(refused(sql), (place.to_owned(), message.to_owned()), "{sql}");
    }
}

#[test]
fn malformed_text_is_refused_where_it_breaks() {
    for (sql, place) in [
        ("", ""),
        ("selec a from t", "selec"),
        ("select a form t", "t"),
        ("select 'a\nfrom t", "'a"),
        ("create view v as", ""),
        ("select a from t where a >", ""),
        ("select a from t; drop t", "drop"),
        ("select añb, ) from t", ")"),
    ] {
        let (found, message) = refused(sql);
        assert_eq!(found, place, "{sql}: {message}");
    }
    assert_eq!(refused("select a from t; drop t").1, "the statement ends before `drop`");
    assert_eq!(refused("select 99999999999999999999 as a from t").1, "this number does not fit");
    assert_eq!(refused("select 1e999 as a from t").1, "this number does not fit");
    assert_eq!(refused("select a from t union select a, b from t").1, "the first query has 1 columns, this one 2");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    let deep =
        |open: &str, close: &str, n: usize| format!("select a from t where {}true{}", open.repeat(n), close.repeat(n));
    let long = |part: &str, n: usize| format!("select a from t where true{}", part.repeat(n));
    for sql in [
        deep("(", ")", 10_000),
        deep("(", ")", 100),
        deep("not ", "", 1000),
        deep("case when ", " then true end", 1000),
        deep("abs(", ")", 1000),
        long(" + 1", 2000),
        long(" & 1", 2000),
        long(" and true", 100_000),
        long(" union select a from t", 400),
        format!("select a from {}t{}", "(select a from ".repeat(500), ")".repeat(500)),
        format!("select a from t{}", ", t".repeat(40)),
        "x".repeat(1 << 20),
    ] {
        let error = compile(&sql, &tables).expect_err("too much");
        assert!(!error.message.is_empty());
    }
    // A chain is not deep.
    compile(&long(" and a = 1", 600), &tables).expect("600 conditions");
    compile(&long(" or a = 1", 600), &tables).expect("600 alternatives");
}
