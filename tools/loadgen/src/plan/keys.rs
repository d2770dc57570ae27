//! Which keys: how many, how they are called, and how often each is chosen.

/// The keys of a workload.
#[derive(Clone, PartialEq, Debug)]
pub struct KeySpec {
    /// How many there are; key numbers run from zero.
    pub count: u64,
    /// How they are chosen.
    pub spread: Spread,
    /// What their names begin with; the number follows, in 12 digits.
    pub prefix: String,
}

/// How keys are chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spread {
    /// Each as often as the others.
    Uniform,
    /// One after the other, each worker its own part.
    Sequential,
    /// By popularity, with this exponent; popular keys are scattered over the numbers.
    Zipf(f64),
    /// A share of the requests goes to a share of the keys: `hot:0.9:0.1`.
    Hot {
        /// Share of the requests, 0 to 1.
        requests: f64,
        /// Share of the keys, 0 to 1.
        keys: f64,
    },
}

impl Default for KeySpec {
    fn default() -> Self {
        Self { count: 100_000, spread: Spread::Uniform, prefix: "key:".to_owned() }
    }
}
