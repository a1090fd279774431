//! One figure among a scenario's results: a number, or how it varies from seed to seed, alone or along a curve.

use crate::stats::Spread;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A figure of `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// One number.
    Number(f64),
    /// Over several seeds.
    Varied(Varied),
    /// The same at several points, by their names.
    Curve(BTreeMap<String, Varied>),
}

/// A figure over several seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Varied {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation; 0 of one seed.
    pub sd: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
}

impl Varied {
    /// Of one value per seed.
    pub fn of(values: &[f64]) -> Self {
        let Spread { min, mean, max, sd } = Spread::of(values);
        Self { mean, sd, min, max }
    }
}

impl Figure {
    /// The number, or the mean; `None` of a curve.
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Varied(varied) => Some(varied.mean),
            Self::Curve(_) => None,
        }
    }
}

impl From<f64> for Figure {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl PartialEq<f64> for Figure {
    fn eq(&self, other: &f64) -> bool {
        self.value() == Some(*other)
    }
}

impl PartialOrd<f64> for Figure {
    fn partial_cmp(&self, other: &f64) -> Option<Ordering> {
        self.value()?.partial_cmp(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back_as_itself() {
        let varied = Varied::of(&[1.0, 3.0]);
        let curve = BTreeMap::from([("10".to_owned(), varied)]);
        for figure in [Figure::Number(2.0), Figure::Varied(varied), Figure::Curve(curve)] {
            let json = serde_json::to_string(&figure).unwrap();
            assert_eq!(serde_json::from_str::<Figure>(&json).unwrap(), figure, "{json}");
        }
        assert_eq!((varied.mean, varied.sd), (2.0, 2.0f64.sqrt()));
    }
}
