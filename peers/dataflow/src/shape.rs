//! The views that are measured: of one set or two, as the same function in both libraries.
//!
//! The sets hold the numbers from 0 on. An update takes away the `n`-th element of the first set, or adds it again; each
//! says what must be seen in the view then.

use lasp_dataflow::Value;

/// A view of one set, or of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Three times the elements, of which the even ones.
    MapFilter,
    /// An eighth of each even element, rounded: four elements share a result.
    Distinct,
    /// How many elements there are.
    Count,
    /// Their sum.
    Sum,
    /// With a second set, shifted by half.
    Intersection,
    /// With the same second set.
    Union,
    /// Of pairs with those of a second set, by their first; one match for each.
    Join,
    /// One added, so many times.
    Chain(usize),
    /// With ten others: ten results for each element.
    Product,
}

impl Shape {
    /// Its name among the measures.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::MapFilter => "map-filter",
            Self::Distinct => "distinct",
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Intersection => "intersection",
            Self::Union => "union",
            Self::Join => "join",
            Self::Chain(_) => "chain",
            Self::Product => "product",
        }
    }

    /// Its name for people.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::MapFilter => "map + filter",
            Self::Distinct => "map + filter + distinct (images coincide)",
            Self::Count => "fold(count)",
            Self::Sum => "fold(sum)",
            Self::Intersection => "intersection",
            Self::Union => "union",
            Self::Join => "equi-join, 1 match",
            Self::Chain(_) => "chain of 64 maps",
            Self::Product => "product 1×10",
        }
    }

    /// How many elements the first set has in a view over `size`.
    pub(crate) fn first(self, size: u64) -> u64 {
        if self == Self::Product { size / TEN } else { size }
    }

    /// The elements of the second set, if there is one.
    pub(crate) fn second(self, size: u64) -> Option<std::ops::Range<u64>> {
        match self {
            Self::Intersection | Self::Union => Some(size / 2..size + size / 2),
            Self::Join => Some(0..size),
            Self::Product => Some(0..TEN),
            Self::MapFilter | Self::Distinct | Self::Count | Self::Sum | Self::Chain(_) => None,
        }
    }

    /// An element near `n` that makes a difference to the view, of a first set of so many.
    pub(crate) fn relevant(self, n: u64, size: u64) -> u64 {
        match self {
            Self::MapFilter | Self::Distinct => n / 2 * 2,
            Self::Intersection => size / 2 + n / 2,
            _ => n,
        }
    }

    /// The `n`-th element of the first set.
    pub(crate) fn element(self, n: u64) -> Value {
        if self == Self::Join { pair(n, n + 1) } else { int(n) }
    }

    /// The `n`-th element of the second set.
    pub(crate) fn second_element(self, n: u64) -> Value {
        if self == Self::Join { pair(n, n + 2) } else { int(n) }
    }

    /// A result that follows from the `n`-th element of the first set; nothing of a fold, which is read as a whole.
    pub(crate) fn image(self, n: u64) -> Option<Value> {
        match self {
            Self::MapFilter => Some(int(n * 3)),
            Self::Distinct => Some(int(n / SHARED)),
            Self::Count | Self::Sum => None,
            Self::Intersection | Self::Union => Some(int(n)),
            Self::Join => Some(Value::pair(pair(n, n + 1), pair(n, n + 2))),
            Self::Chain(length) => Some(int(n + length as u64)),
            Self::Product => Some(Value::pair(int(n), int(TEN - 1))),
        }
    }

    /// Whether that result is there without the element, too.
    pub(crate) fn outlives(self, n: u64, size: u64) -> bool {
        match self {
            Self::Distinct => true,
            Self::Union => n >= size / 2,
            _ => false,
        }
    }
}

/// So many numbers have one image; every other one passes the filter before.
pub(crate) const SHARED: u64 = 8;

const TEN: u64 = 10;

fn int(n: u64) -> Value {
    Value::Int(n as i64)
}

fn pair(a: u64, b: u64) -> Value {
    Value::pair(int(a), int(b))
}
