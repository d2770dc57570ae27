//! The flags that say when requests are sent, and how long.

use std::time::Duration;

use clap::Args;

use crate::drive::{Load, Pace, Until};
use crate::plan::{Arrivals, quantity};

/// How long a run lasts if nothing else is said.
pub(super) const DURATION_DEFAULT: Duration = Duration::from_secs(10);

/// When requests are sent, and how long.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceFlags {
    /// End after so many operations: 5000, 10k, 1m
    #[arg(long, short = 'n', value_name = "COUNT", value_parser = quantity::count, conflicts_with = "duration")]
    pub requests: Option<u64>,
    /// End after so much time: 30 (seconds), 500ms, 2m [default: 10s]
    #[arg(long, short = 't', value_name = "TIME", value_parser = positive_duration)]
    pub duration: Option<Duration>,
    /// Run so long before counting
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = quantity::duration)]
    pub warmup: Duration,
    /// Open loop: requests per second in all (500, 100k), whatever the server does. Latencies count from the moment at
    /// which a request should have been sent
    #[arg(long, value_name = "RATE", value_parser = quantity::rate)]
    pub rate: Option<f64>,
    /// How the requests of an open loop follow each other: poisson (as independent clients do) or constant
    #[arg(long, value_name = "ARRIVALS", default_value = "poisson", requires = "rate")]
    pub arrivals: Arrivals,
    /// Closed loop: pause of a connection between its last reply and its next request
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = quantity::duration, conflicts_with = "rate")]
    pub think: Duration,
}

impl PaceFlags {
    /// The same load at this pace.
    pub fn apply(&self, load: Load) -> Load {
        let pace = match self.rate {
            Some(rate) => Pace::Open { rate, arrivals: self.arrivals },
            None => Pace::Closed { think: self.think },
        };
        let until = match (self.requests, self.duration) {
            (Some(requests), _) => Until::Operations(requests),
            (None, Some(time)) => Until::Elapsed(time),
            (None, None) => load.until,
        };
        Load { pace, until, warmup: self.warmup, ..load }
    }
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    match quantity::duration(text) {
        Ok(Duration::ZERO) => Err("it must be above zero".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.0),
    }
}
