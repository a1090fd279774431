//! What the HyParView paper published (Leitão, Pereira, Rodrigues, DSN 2007): Table 1, and points read from Figures 2 and 4.

use super::experiment::FAILED;

/// A strategy's published figures.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Its name in the paper.
    pub name: &'static str,
    /// Figure 2: mean reliability in percent after 10, 20, ..., 90, 95 % failed.
    pub reliability: [f64; 10],
    /// Figure 4: cycles to heal after 10, 20, ..., 90 % failed.
    pub healing: [f64; 9],
    /// Table 1: mean clustering coefficient.
    pub clustering: f64,
    /// Table 1: mean shortest path.
    pub shortest_path: f64,
    /// Table 1: mean of the longest delivery, in hops.
    pub max_hops: f64,
}

/// HyParView with views of 5 and 30.
pub const HYPARVIEW: Published = Published {
    name: "HyParView, published",
    reliability: [100.0, 100.0, 100.0, 100.0, 100.0, 99.9, 99.9, 99.9, 99.6, 90.8],
    healing: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 4.0],
    clustering: 0.00092,
    shortest_path: 6.38542,
    max_hops: 9.0,
};

/// Cyclon with a view of 35.
pub const CYCLON: Published = Published {
    name: "Cyclon, published",
    reliability: [97.3, 96.5, 92.6, 85.9, 73.4, 50.2, 11.8, 0.2, 0.2, 0.3],
    healing: [42.0, 48.0, 51.0, 69.0, 72.0, 80.0, 102.0, 107.0, 159.0],
    clustering: 0.006836,
    shortest_path: 2.60426,
    max_hops: 10.6,
};

/// Cyclon that drops whoever does not acknowledge a message.
pub const CYCLON_ACKED: Published = Published {
    name: "Cyclon acked, published",
    reliability: [98.3, 98.3, 98.3, 98.3, 98.0, 98.0, 96.8, 46.3, 0.2, 0.3],
    healing: [8.0, 26.0, 24.0, 27.0, 32.0, 24.0, 35.0, 51.0, 71.0],
    ..CYCLON
};

/// SCAMP with c = 4.
pub const SCAMP: Published = Published {
    name: "SCAMP, published",
    reliability: [94.7, 92.2, 88.0, 80.1, 65.5, 39.8, 4.2, 0.2, 0.2, 0.3],
    healing: [f64::NAN; 9],
    clustering: 0.022476,
    shortest_path: 3.35398,
    max_hops: 14.1,
};

impl Published {
    /// Reliability as a curve.
    pub fn reliability_curve(&self) -> Vec<(f64, f64)> {
        FAILED.iter().zip(self.reliability).map(|(failed, reliability)| (f64::from(*failed), reliability)).collect()
    }

    /// Healing as a curve.
    pub fn healing_curve(&self) -> Vec<(f64, f64)> {
        FAILED.iter().zip(self.healing).map(|(failed, cycles)| (f64::from(*failed), cycles)).collect()
    }
}
