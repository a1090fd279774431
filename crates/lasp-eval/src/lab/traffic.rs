//! What nodes send over a stretch of time: by kind, and each node second by second.

use super::metered::{KINDS, Sent};
use crate::stats::Quantiles;

/// What nodes send, per node and second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    /// Messages, handshakes not counted.
    pub messages: f64,
    /// Bytes, handshakes counted.
    pub bytes: f64,
    /// Bytes by kind.
    pub kinds: [f64; KINDS],
    /// Bytes of one node in one second.
    pub seconds: Quantiles,
}

/// Gathers them.
#[derive(Clone, Debug)]
pub struct Meter {
    first: Vec<[Sent; KINDS]>,
    last: Vec<[Sent; KINDS]>,
    seconds: Vec<f64>,
}

impl Meter {
    /// Begins, with what each node has sent so far.
    pub fn new(sent: Vec<[Sent; KINDS]>) -> Self {
        Self { first: sent.clone(), last: sent, seconds: Vec::new() }
    }

    /// A second later, of the same nodes.
    pub fn second(&mut self, sent: Vec<[Sent; KINDS]>) {
        let grown = |(now, before): (&[Sent; KINDS], &[Sent; KINDS])| {
            now.iter().zip(before).map(|(now, before)| now.since(*before).bytes).sum::<u64>() as f64
        };
        self.seconds.extend(sent.iter().zip(&self.last).map(grown));
        self.last = sent;
    }

    /// What it came to, in `seconds`.
    pub fn rates(self, seconds: f64) -> Rates {
        let per = 1.0 / (seconds * self.first.len().max(1) as f64);
        let mut kinds = [Sent::default(); KINDS];
        for (now, before) in self.last.iter().zip(&self.first) {
            for (sum, (now, before)) in kinds.iter_mut().zip(now.iter().zip(before)) {
                *sum = sum.and(now.since(*before));
            }
        }
        let messages: u64 = kinds[..KINDS - 1].iter().map(|sent| sent.messages).sum();
        Rates {
            messages: messages as f64 * per,
            bytes: kinds.iter().map(|sent| sent.bytes).sum::<u64>() as f64 * per,
            kinds: kinds.map(|sent| sent.bytes as f64 * per),
            seconds: Quantiles::of(self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_node_and_second() {
        let sent = |bytes| {
            let mut kinds = [Sent::default(); KINDS];
            kinds[1] = Sent { messages: 2, bytes };
            kinds
        };
        let mut meter = Meter::new(vec![[Sent::default(); KINDS]; 2]);
        meter.second(vec![sent(10), sent(20)]);
        meter.second(vec![sent(10), sent(60)]);
        let rates = meter.rates(2.0);
        assert_eq!((rates.messages, rates.bytes, rates.kinds[1]), (1.0, 17.5, 17.5));
        assert_eq!((rates.seconds.max, rates.seconds.p50), (40.0, 10.0));
    }
}
