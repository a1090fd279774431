//! Small statistics over what was measured: quantiles by nearest rank, means, spreads. No estimation.

use serde::{Deserialize, Serialize};

/// The value at quantile `q` (0 to 1) of `sorted`, by nearest rank; 0 if there is none.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1).min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.iter().sum::<f64>() / values.len() as f64
}

/// The greatest; 0 of nothing.
pub fn max(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::max).unwrap_or(0.0)
}

/// Sorts ascending.
pub fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Median, tail and worst of a set of measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Half are at or below.
    pub p50: f64,
    /// 99 in 100 are at or below.
    pub p99: f64,
    /// All are at or below.
    pub max: f64,
}

impl Quantiles {
    /// Of `values`, in any order.
    pub fn of(values: Vec<f64>) -> Self {
        let values = sorted(values);
        Self { p50: quantile(&values, 0.5), p99: quantile(&values, 0.99), max: quantile(&values, 1.0) }
    }
}

/// How one figure varies from run to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
    /// Sample standard deviation; 0 for a single run.
    pub sd: f64,
}

impl Spread {
    /// Of one figure over several runs.
    pub fn of(values: &[f64]) -> Self {
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = if values.len() > 1 { (squares / (values.len() - 1) as f64).sqrt() } else { 0.0 };
        let min = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
        Self { min, mean, max: max(values), sd }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(Quantiles::of(values), Quantiles { p50: 50.0, p99: 99.0, max: 100.0 });
        assert_eq!(Quantiles::of(vec![7.0]), Quantiles { p50: 7.0, p99: 7.0, max: 7.0 });
        assert_eq!(Quantiles::of(vec![]), Quantiles::default());
    }

    #[test]
    fn the_spread_of_one_run_has_no_width() {
        assert_eq!(Spread::of(&[3.0]), Spread { min: 3.0, mean: 3.0, max: 3.0, sd: 0.0 });
        assert_eq!(Spread::of(&[1.0, 3.0]).sd, 2.0f64.sqrt());
    }
}
