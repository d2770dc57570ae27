//! When the requests of an open loop are due.

use rand::Rng;
use rand::rngs::SmallRng;

/// How requests follow each other at a given rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Arrivals {
    /// As independent clients send them: exponential gaps.
    #[default]
    Poisson,
    /// Equal gaps.
    Constant,
}

/// The moments at which requests are due, in nanoseconds since the start.
#[derive(Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    gap_ns: f64,
    due_ns: f64,
}

impl Schedule {
    /// `rate` requests per second.
    pub fn new(arrivals: Arrivals, rate: f64) -> Self {
        Self { arrivals, gap_ns: 1e9 / rate, due_ns: 0.0 }
    }

    /// When the next request is due.
    #[inline]
    pub fn due_ns(&self) -> u64 {
        self.due_ns as u64
    }

    /// Goes on to the request after it.
    #[inline]
    pub fn advance(&mut self, rng: &mut SmallRng) {
        self.due_ns += match self.arrivals {
            Arrivals::Constant => self.gap_ns,
            // The inverse of the distribution function; 1 - u is never zero.
            Arrivals::Poisson => -(1.0 - rng.random::<f64>()).ln() * self.gap_ns,
        };
    }
}
