//! A graph with short ways to say things, and functions over integers.

use lasp_crdt::{ReplicaId, Stamp, Timestamp};
use lasp_dataflow::{
    Cause, Effects, Function, Graph, Name, Op, Operator, Output, State, Target, Type, Value, VarId, function,
};
use proptest::prelude::{Strategy, prop_oneof};

/// A graph whose clock ticks with every update.
pub(crate) struct Node {
    pub(crate) graph: Graph,
    ticks: u64,
}

impl Node {
    pub(crate) fn new(replica: u64) -> Self {
        Self { graph: Graph::new(ReplicaId(replica)), ticks: 0 }
    }

    pub(crate) fn declare(&mut self, name: &str, ty: &str) -> VarId {
        self.graph.declare(self::name(name), ty.parse().expect("a type")).expect("a free name")
    }

    pub(crate) fn update(&mut self, var: VarId, op: Op) {
        self.try_update(var, op).expect("the operation fits");
    }

    pub(crate) fn try_update(&mut self, var: VarId, op: Op) -> Result<(), lasp_dataflow::UpdateError> {
        self.ticks += 1;
        let stamp = Stamp { time: Timestamp(self.ticks), replica: self.graph.replica() };
        self.graph.update(var, &op, stamp)
    }

    pub(crate) fn add(&mut self, var: VarId, elements: impl IntoIterator<Item = impl Into<Value>>) {
        self.update(var, Op::AddAll(elements.into_iter().map(Into::into).collect()));
    }

    pub(crate) fn remove(&mut self, var: VarId, element: impl Into<Value>) {
        self.update(var, Op::Remove(element.into()));
    }

    pub(crate) fn derive(&mut self, operator: Operator, inputs: &[VarId]) -> VarId {
        self.graph.derive(operator, inputs, Target::Local(None)).expect("a derivation")
    }

    /// A derivation that somebody wants to see from the start.
    pub(crate) fn derive_wanted(&mut self, operator: Operator, inputs: &[VarId]) -> VarId {
        let var = self.derive(operator, inputs);
        self.graph.read(var);
        var
    }

    pub(crate) fn show(&mut self, var: VarId) -> String {
        self.graph.read(var).expect("a variable").to_string()
    }

    pub(crate) fn read(&mut self, var: VarId) -> Output {
        self.graph.read(var).expect("a variable")
    }

    pub(crate) fn drain(&mut self) -> Effects {
        self.graph.drain()
    }

    /// Every delta since the last drain that another node may lack, by name.
    pub(crate) fn news(&mut self) -> Vec<(String, Type, State)> {
        let deltas = self.graph.drain().deltas.into_iter().filter(|delta| delta.cause != Cause::Received);
        let named = deltas.map(|delta| {
            let info = self.graph.info(delta.var).expect("a variable");
            (info.name.to_string(), info.ty.clone(), delta.delta)
        });
        named.collect()
    }

    /// Takes what another node's [`news`](Self::news) gave, if the variable is known here.
    pub(crate) fn hear(&mut self, news: &[(String, Type, State)]) {
        for (name, _, state) in news {
            if let Some(var) = self.graph.lookup(name) {
                self.graph.merge(var, state.clone());
            }
        }
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("a short name")
}

pub(crate) fn int(value: &Value) -> Result<i64, String> {
    i64::try_from(value).map_err(|error| error.to_string())
}

/// A function of one integer.
pub(crate) fn of_int(f: impl Fn(i64) -> Value + Send + Sync + 'static) -> Function {
    function(move |args| Ok(f(int(&args[0])?)))
}

pub(crate) fn double() -> Function {
    of_int(|n| Value::Int(n * 2))
}

pub(crate) fn is_even() -> Function {
    of_int(|n| Value::Bool(n % 2 == 0))
}

pub(crate) fn modulo(m: i64) -> Function {
    of_int(move |n| Value::Int(n.rem_euclid(m)))
}

/// `{A, B} -> A + B`, and integers as they are.
pub(crate) fn total() -> Function {
    function(|args| match &args[0] {
        Value::Tuple(items) => {
            let sum: Result<i64, String> = items.iter().map(int).sum();
            Ok(Value::Int(sum?))
        }
        other => Ok(other.clone()),
    })
}

/// An operation on a set of integers below `bound`.
pub(crate) fn set_op(bound: i64) -> impl Strategy<Value = Op> + use<> {
    let element = move || (0..bound).prop_map(Value::Int);
    prop_oneof![
        3 => element().prop_map(Op::Add),
        2 => element().prop_map(Op::Remove),
        1 => proptest::collection::vec(element(), 0..4).prop_map(Op::AddAll),
        1 => proptest::collection::vec(element(), 0..4).prop_map(Op::RemoveAll),
    ]
}
