//! The flags that say what is sent.

use std::fs;

use clap::Args;

use super::TargetFlags;
use crate::plan::{KeySpec, PlanError, Protocol, Shape, Sizes, Spread, quantity};

/// The workload, for modes that let it be chosen.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load")]
pub struct WorkloadFlag {
    /// What to send: a name, a command with placeholders, or several with weights
    ///
    /// Names: get, set, mixed READS:WRITES, mget N, mset N, incr, ping, fill, and YCSB's ycsb-a to ycsb-f (zipf keys and
    /// 1000 bytes unless said otherwise; a scan is an MGET of 1 to 100 keys that follow each other).
    ///
    /// Commands: 'ZADD board __score__ __member__'. __key__ is the key, __key2__ to __key9__ are others; __keys:N__,
    /// __range:N__ and __pairs:N__ are N words: keys, keys that follow each other, keys with values. __value__ is a
    /// value. Drawn anew at each place are __score__, __int__ (__int:1-100__), __rand_int__, __field__ and __member__
    /// (__field:N__: one of N); __seq__ counts. Quotes are those of redis-cli, and `;` stands between the commands of one
    /// operation: 'MULTI; INCR __key__; EXEC'.
    ///
    /// With weights: '9: get | 1: mget 100'.
    #[arg(long, short = 'w', value_name = "WORKLOAD", default_value = "mixed 9:1")]
    pub workload: String,
}

/// Keys and values.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Keys and values")]
pub struct ShapeFlags {
    /// How many keys there are: 5000, 100k, 10m
    #[arg(long, short = 'r', value_name = "COUNT", default_value = "100k", value_parser = quantity::count)]
    pub keys: u64,
    /// What the names of keys begin with; their numbers follow in 12 digits [default: key:]
    #[arg(long, value_name = "TEXT")]
    pub key_prefix: Option<String>,
    /// How keys are chosen: uniform, sequential, zipf, zipf:EXPONENT, hot:REQUESTS:KEYS (hot:0.9:0.1 sends 90 % of the
    /// requests to 10 % of the keys) or latest [default: uniform]
    #[arg(long, value_name = "SPREAD")]
    pub key_spread: Option<Spread>,
    /// Bytes of a value: 64, 10kb, a range 16-1024, or file:PATH with a size and a weight on each line. A key has the
    /// same size in every run [default: 64]
    #[arg(long, short = 'd', value_name = "SIZE", value_parser = sizes)]
    pub value_size: Option<Sizes>,
    /// Time that what is set lives: 60 (seconds), 5m [default: forever]
    #[arg(long, value_name = "TIME", value_parser = whole_seconds)]
    pub ttl: Option<u64>,
    /// Where chance begins: the same seed, the same requests
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
}

impl ShapeFlags {
    /// The shape of a workload for this server.
    pub fn shape(&self, target: &TargetFlags) -> Shape {
        Shape {
            keys: KeySpec { count: self.keys, spread: self.key_spread, prefix: self.key_prefix.clone() },
            sizes: self.value_size.clone(),
            ttl_s: self.ttl,
            protocol: target.protocol.into(),
            hash_tags: target.cluster,
            marked: false,
        }
    }
}

/// The protocol's name on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum ProtocolName {
    /// RESP2, or RESP3 with --resp3
    #[default]
    Redis,
    /// The text protocol of memcached: get, set, mixed, fill
    Memcached,
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Redis => Self::Redis,
            ProtocolName::Memcached => Self::Memcached,
        }
    }
}

fn sizes(text: &str) -> Result<Sizes, PlanError> {
    let Some(path) = text.strip_prefix("file:") else { return text.parse() };
    let lines = fs::read_to_string(path).map_err(|error| PlanError(format!("{path} cannot be read: {error}")))?;
    Sizes::from_lines(&lines).map_err(|error| PlanError(format!("{path}: {error}")))
}

fn whole_seconds(text: &str) -> Result<u64, String> {
    let time = quantity::duration(text).map_err(|error| error.0)?;
    match time.subsec_nanos() {
        0 if time.as_secs() > 0 => Ok(time.as_secs()),
        _ => Err("it must be a whole number of seconds, at least 1".to_owned()),
    }
}
