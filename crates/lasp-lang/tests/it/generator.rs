//! Random pure functions, drawn from a list of choices so that they shrink with it.

use lasp_dataflow::{F64, Value};

pub(crate) struct Generator<'a> {
    choices: std::slice::Iter<'a, u8>,
    /// Variables in sight.
    scope: Vec<String>,
    named: usize,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(choices: &'a [u8]) -> Self {
        Self { choices: choices.iter(), scope: Vec::new(), named: 0 }
    }

    /// A number below `n`; 0 when the choices are used up.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(*self.choices.next().unwrap_or(&0)) % n
    }

    pub(crate) fn pick(&mut self, from: &[&str]) -> String {
        let at = self.below(from.len());
        from[at].to_owned()
    }

    /// Captured variables of several kinds, and `F`.
    pub(crate) fn program(&mut self, arity: usize) -> String {
        self.program_of_depth(arity, 4)
    }

    /// As [`Self::program`], with expressions that nest no more than `depth`.
    pub(crate) fn program_of_depth(&mut self, arity: usize, depth: usize) -> String {
        let captured = "Ci = 3. Cs = sets:from_list([1, 2, a]). Cl = [1, {2, b}, 1.0]. Cm = #{a => 1, b => [2]}. Ct = \"text\". \
            Cf = fun(X) -> {X, Ci} end. Cx = fun(A, B) -> A + B end.";
        self.scope.extend(["Ci", "Cs", "Cl", "Cm", "Ct"].map(str::to_owned));
        format!("{captured} F = {}.", self.fun(arity, depth))
    }

    /// A value that is likely to match something.
    pub(crate) fn value(&mut self, depth: usize) -> Value {
        let kinds = if depth == 0 { 5 } else { 9 };
        match self.below(kinds) {
            0 => Value::Int(self.below(7) as i64 - 2),
            1 => Value::atom(self.pick(&["a", "b"])),
            2 => Value::Float(F64::new(self.below(5) as f64 / 2.0).expect("finite")),
            3 => Value::text(self.pick(&["", "t", "text"])),
            4 => Value::Bool(self.below(2) == 0),
            5 | 6 => Value::tuple((0..2).map(|_| self.value(depth - 1)).collect::<Vec<_>>()),
            7 => Value::list((0..self.below(4)).map(|_| self.value(depth - 1)).collect::<Vec<_>>()),
            _ => Value::map((0..self.below(3)).map(|_| (self.value(0), self.value(depth - 1))).collect::<Vec<_>>()),
        }
    }

    fn inner<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.scope.len();
        let built = build(self);
        self.scope.truncate(mark);
        built
    }

    pub(crate) fn fun(&mut self, arity: usize, depth: usize) -> String {
        let mut clauses: Vec<String> = (0..self.below(3))
            .map(|_| {
                self.inner(|g| {
                    let patterns: Vec<String> = (0..arity).map(|_| g.pattern(2)).collect();
                    let guard = g.guard(depth);
                    format!("({}){guard} -> {}", patterns.join(", "), g.body(depth))
                })
            })
            .collect();
        if clauses.is_empty() || self.below(4) > 0 {
            clauses.push(self.inner(|g| {
                let parameters: Vec<String> = (0..arity).map(|_| g.fresh()).collect();
                format!("({}) -> {}", parameters.join(", "), g.body(depth))
            }));
        }
        format!("fun{} end", clauses.join("; "))
    }

    fn guard(&mut self, depth: usize) -> String {
        match self.below(3) {
            0 => format!(" when {}", self.condition(depth.min(2))),
            1 => format!(" when {}, {}; {}", self.condition(1), self.condition(1), self.condition(1)),
            _ => String::new(),
        }
    }

    fn body(&mut self, depth: usize) -> String {
        match self.below(4) {
            0 if depth > 0 => {
                let value = self.expr(depth - 1);
                let pattern = self.pattern(1);
                format!("{pattern} = {value}, {}", self.expr(depth - 1))
            }
            1 if depth > 0 => format!("{}, {}", self.expr(depth - 1), self.expr(depth - 1)),
            _ => self.expr(depth),
        }
    }

    fn fresh(&mut self) -> String {
        self.named += 1;
        let name = format!("V{}", self.named);
        self.scope.push(name.clone());
        name
    }

    fn variable(&mut self) -> String {
        // The latest ones more often.
        let back = self.below(self.scope.len().min(8)).min(self.below(8));
        self.scope[self.scope.len() - 1 - back].clone()
    }

    fn pattern(&mut self, depth: usize) -> String {
        let kinds = if depth == 0 { 6 } else { 12 };
        match self.below(kinds) {
            0..=2 => self.fresh(),
            3 => "_".to_owned(),
            4 => self.literal(),
            5 => self.variable(),
            6 | 7 => format!("{{{}, {}}}", self.pattern(depth - 1), self.pattern(depth - 1)),
            8 => format!("[{} | {}]", self.pattern(depth - 1), self.pattern(depth - 1)),
            9 => format!("[{}, {}]", self.pattern(depth - 1), self.pattern(depth - 1)),
            10 => format!("#{{{} := {}}}", self.pick(&["a", "1", "Ci", "b"]), self.pattern(depth - 1)),
            _ => match self.below(2) {
                0 => format!("\"t\" ++ {}", self.pattern(0)),
                _ => format!("{} = {}", self.fresh(), self.pattern(depth - 1)),
            },
        }
    }

    fn literal(&mut self) -> String {
        self.pick(&[
            "1",
            "0",
            "2",
            "a",
            "b",
            "true",
            "1.0",
            "-3",
            "\"t\"",
            "{1, a}",
            "[]",
            "[1, 2]",
            "9223372036854775807",
        ])
    }

    fn condition(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match self.below(10) {
            0..=2 => {
                let operator = self.pick(&["==", "<", "=:=", ">=", "/=", "=/=", ">", "=<"]);
                format!("{} {operator} {}", self.operand(depth), self.operand(depth))
            }
            3 if depth > 0 => {
                let operator = self.pick(&["andalso", "orelse", "and", "or", "xor"]);
                format!("({}) {operator} ({})", self.condition(depth), self.condition(depth))
            }
            4 => {
                let test = self.pick(&[
                    "is_integer",
                    "is_list",
                    "is_map",
                    "is_tuple",
                    "is_atom",
                    "is_number",
                    "is_float",
                    "is_text",
                    "is_boolean",
                    "is_binary",
                ]);
                format!("{test}({})", self.operand(depth))
            }
            5 => {
                let name = self.pick(&["lists:member", "sets:is_element"]);
                format!("{name}({}, {})", self.operand(depth), self.list(depth))
            }
            6 => self.text_test(depth),
            7 => format!("maps:is_key({}, {})", self.operand(0), self.map()),
            8 if depth > 0 => {
                let name = self.pick(&["all", "any"]);
                format!("lists:{name}({}, {})", self.test_fun(depth), self.list(depth))
            }
            _ => self.pick(&["true", "false", "not (Ci > 2)"]),
        }
    }

    fn text_test(&mut self, depth: usize) -> String {
        match self.below(5) {
            0 => format!("string:is_empty({})", self.text(depth)),
            _ => {
                let name = self.pick(&["starts_with", "ends_with", "contains", "equal"]);
                format!("string:{name}({}, {})", self.text(depth), self.text(0))
            }
        }
    }

    /// A text, mostly; some are so long that they cost steps.
    fn text(&mut self, depth: usize) -> String {
        match self.below(6) {
            0 => self.operand(depth),
            1 => "Ct".to_owned(),
            2 => format!("string:repeat(\"te\", {})", self.pick(&["2", "130", "Ci"])),
            3 => self.pick(&["\"\"", "\"t\"", "\"text\"", "\"ext\""]),
            _ => self.variable(),
        }
    }

    fn map(&mut self) -> String {
        match self.below(4) {
            0 => self.variable(),
            1 => "#{a => 2, 1 => b, \"t\" => 1.0}".to_owned(),
            _ => "Cm".to_owned(),
        }
    }

    /// A part of a variable; mostly there is one.
    fn part(&mut self) -> String {
        let list = if self.below(4) == 0 { self.list(0) } else { self.pick(&["Cl", "[1, 2]"]) };
        let map = if self.below(4) == 0 { self.map() } else { "Cm".to_owned() };
        match self.below(6) {
            0 => format!("hd({list})"),
            1 => format!("lists:last({list})"),
            2 => format!("lists:nth({}, {list})", self.pick(&["1", "2", "2", "0", "Ci"])),
            3 => format!("maps:get({}, {map})", self.pick(&["a", "a", "b", "1"])),
            4 => format!("maps:get({}, {map}, {})", self.pick(&["a", "c"]), self.literal()),
            _ if self.below(3) == 0 => format!("element({}, {})", self.pick(&["1", "2", "0"]), self.variable()),
            _ => format!("element({}, {{{}, Cl}})", self.pick(&["1", "2"]), self.variable()),
        }
    }

    /// A function that answers yes or no, mostly.
    fn test_fun(&mut self, depth: usize) -> String {
        match self.below(4) {
            0 => self.fun(1, depth),
            _ => self.inner(|g| {
                let parameter = g.pattern(1);
                format!("fun({parameter}) -> {}; (_) -> false end", g.condition(depth))
            }),
        }
    }

    /// In brackets where it needs them.
    fn operand(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..=2 if depth > 0 => format!("({})", self.expr(depth)),
            3..=5 => self.literal(),
            6 => self.part(),
            _ => self.variable(),
        }
    }

    fn number(&mut self, depth: usize) -> String {
        match self.below(9) {
            0 => self.operand(depth),
            1 => "Ci".to_owned(),
            2 => format!("length({})", self.list(0)),
            4 => {
                let name = self.pick(&["string:length", "byte_size", "abs", "trunc", "tuple_size", "map_size"]);
                format!("{name}({})", if name.contains("map") { self.map() } else { self.text(depth) })
            }
            5 => format!("{}({}, {})", self.pick(&["max", "min"]), self.number(0), self.number(0)),
            6 => self.part(),
            3 if depth > 0 => format!("({} * {})", self.number(depth - 1), self.number(depth - 1)),
            _ => self.pick(&["1", "2", "3", "0.5", "-7"]),
        }
    }

    fn list(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        match self.below(7) {
            0 => "[1, 2, 3]".to_owned(),
            1 => self.variable(),
            2 => "Cs".to_owned(),
            3 => format!("[{}, {}]", self.operand(depth), self.operand(depth)),
            4 => format!("lists:map({}, {})", self.fun(1, depth), self.pick(&["[1, 2]", "Cl", "Cs"])),
            5 => "lists:seq(1, 4)".to_owned(),
            _ => "Cl".to_owned(),
        }
    }

    fn qualifiers(&mut self, depth: usize) -> String {
        let list = self.list(depth);
        let mut text = match self.below(4) {
            0 => format!("{} := {} <- {}", self.fresh(), self.pattern(1), self.pick(&["Cm", "#{1 => a}"])),
            _ => format!("{} <- {list}", self.pattern(1)),
        };
        if self.below(3) == 0 {
            text += &format!(", {}", self.condition(1));
        }
        if self.below(4) == 0 {
            let list = self.list(0);
            text += &format!(", {} <- {list}", self.pattern(1));
        }
        text
    }

    fn clauses(&mut self, depth: usize) -> String {
        let clauses: Vec<String> = (0..1 + self.below(3))
            .map(|_| {
                self.inner(|g| {
                    let pattern = g.pattern(2);
                    let guard = g.guard(1);
                    format!("{pattern}{guard} -> {}", g.body(depth))
                })
            })
            .collect();
        let otherwise = if self.below(4) > 0 { format!("; _ -> {}", self.operand(depth)) } else { String::new() };
        format!("{}{otherwise}", clauses.join("; "))
    }

    pub(crate) fn expr(&mut self, depth: usize) -> String {
        if depth == 0 {
            return if self.below(3) == 0 { self.literal() } else { self.variable() };
        }
        let depth = depth - 1;
        match self.below(20) {
            0 | 1 => {
                let operator = self.pick(&["+", "-", "*", "div", "rem", "/"]);
                format!("{} {operator} {}", self.number(depth), self.number(depth))
            }
            2 => self.condition(depth),
            3 => format!("{{{}, {}}}", self.expr(depth), self.expr(depth)),
            4 => format!("[{} | {}]", self.expr(depth), self.list(depth)),
            5 => format!("#{{{} => {}, b => {}}}", self.operand(0), self.expr(depth), self.expr(depth)),
            6 => {
                let sign = self.pick(&["=>", ":="]);
                format!("Cm#{{{} {sign} {}}}", self.pick(&["a", "b", "1"]), self.expr(depth))
            }
            7 => format!("case {} of {} end", self.expr(depth), self.clauses(depth)),
            8 => {
                let (condition, then) = (self.condition(depth), self.inner(|g| g.body(depth)));
                format!("if {condition} -> {then}; true -> {} end", self.inner(|g| g.body(depth)))
            }
            9 => self.inner(|g| {
                let qualifiers = g.qualifiers(depth);
                format!("[{} || {qualifiers}]", g.expr(depth))
            }),
            10 => self.inner(|g| {
                let qualifiers = g.qualifiers(depth);
                format!("#{{{} => {} || {qualifiers}}}", g.operand(0), g.expr(depth))
            }),
            11 => {
                let list = self.list(depth);
                let name = self.pick(&["foldl", "foldr"]);
                format!("lists:{name}({}, {}, {list})", self.fun(2, depth), self.operand(0))
            }
            12 => {
                let name = self.pick(&["filter", "map", "all", "any"]);
                let function = if name == "map" { self.fun(1, depth) } else { self.test_fun(depth) };
                format!("lists:{name}({function}, {})", self.list(depth))
            }
            13 => format!("({})({})", self.fun(1, depth), self.operand(depth)),
            14 if self.below(2) == 0 => format!("abs({})", self.number(depth)),
            14 => {
                let name = self.pick(&[
                    "abs",
                    "length",
                    "lists:sum",
                    "lists:reverse",
                    "to_text",
                    "hd",
                    "lists:sort",
                    "-",
                    "not ",
                ]);
                format!("{name}({})", self.operand(depth))
            }
            15 if self.below(2) == 0 => format!("element({}, {{{}, b}})", self.pick(&["1", "2"]), self.operand(depth)),
            15 => {
                let name = self.pick(&["element", "max", "maps:get", "lists:nth", "maps:is_key", "maps:find"]);
                format!("{name}({}, {})", self.operand(0), self.operand(depth))
            }
            16 => {
                let operator = self.pick(&["++", "--"]);
                format!("{} {operator} {}", self.list(depth), self.list(depth))
            }
            17 => match self.below(3) {
                0 => self.part(),
                1 => self.number(depth),
                _ => format!("Cf({})", self.operand(depth)),
            },
            18 => format!("set[{}, {}]", self.operand(0), self.operand(0)),
            _ => format!("begin {} end", self.body(depth)),
        }
    }
}
