//! Views on a graph: after every change they are what SQL says of the tables as they are then.

use crate::oracle::{Line, Query};
use crate::properties::{line, query, row_of};
use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{Graph, Name, Op, Output, Target, Type, Value, VarId};
use lasp_sql::{Columns, compile};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A row comes or goes, in the first table or the second.
#[derive(Clone, Debug)]
struct Step {
    first: bool,
    comes: bool,
    line: Line,
}

fn step() -> impl Strategy<Value = Step> {
    (any::<bool>(), 0..3u8, line()).prop_map(|(first, comes, line)| Step { first, comes: comes > 0, line })
}

/// The tables as variables and as lines.
struct Site {
    graph: Graph,
    vars: [VarId; 2],
    lines: [BTreeSet<Line>; 2],
    time: u64,
}

impl Site {
    fn new() -> Self {
        let mut graph = Graph::new(ReplicaId(1));
        let vars =
            ["t", "u"].map(|name| graph.declare(Name::new(name).expect("a name"), Type::AwSet).expect("a fresh name"));
        Self { graph, vars, lines: Default::default(), time: 0 }
    }

    fn derive(&mut self, sql: &str) -> VarId {
        let view = compile(sql, &|_| Ok(Columns::Any)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let tables: Vec<VarId> = view.tables.iter().map(|name| self.vars[usize::from(&**name == "u")]).collect();
        let derived =
            view.apply(&tables, |operator, inputs| self.graph.derive(operator.clone(), inputs, Target::Local(None)));
        derived.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    fn take(&mut self, step: &Step) {
        let table = usize::from(!step.first);
        let row = row_of(&step.line, [["a", "b"], ["a", "c"]][table]);
        let op = if step.comes { Op::Add(row) } else { Op::Remove(row) };
        if step.comes {
            self.lines[table].insert(step.line.clone());
        } else {
            self.lines[table].remove(&step.line);
        }
        self.time += 1;
        let stamp = Stamp { time: Timestamp(self.time), replica: ReplicaId(1) };
        self.graph.update(self.vars[table], &op, stamp).expect("a set takes it");
    }

    fn rows(&mut self, view: VarId) -> BTreeSet<Value> {
        match self.graph.read(view) {
            Some(Output::Set(rows)) => rows.into_iter().collect(),
            other => panic!("a view is a set, found {other:?}"),
        }
    }

    fn expected(&self, query: &Query) -> BTreeSet<Value> {
        let [t, u] = [0, 1].map(|table| self.lines[table].iter().cloned().collect::<Vec<_>>());
        query.rows(&t, &u)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_view_follows_every_change(
        queries in proptest::collection::vec((1..4usize).prop_flat_map(query), 1..4),
        steps in proptest::collection::vec(step(), 0..16),
        late in 0..16usize,
    ) {
        let mut site = Site::new();
        let mut views = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            // Some views are there before the rows, some come when there are some.
            if at == late.min(steps.len() - 1) {
                views = queries.iter().map(|query| site.derive(&query.sql())).collect();
            }
            site.take(step);
            for (view, query) in views.iter().zip(&queries) {
                prop_assert_eq!(site.rows(*view), site.expected(query), "{} after {:?}", query.sql(), &steps[..=at]);
            }
        }
        prop_assert!(site.graph.drain().errors.is_empty());
    }
}
