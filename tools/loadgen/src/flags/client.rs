//! The flags that say from where a load comes: connections and threads.

use clap::Args;
use corewise::config::CpuList;
use corewise::os::cpus::allowed;

use crate::plan::quantity;

/// Connections and threads.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load")]
pub struct ClientFlags {
    /// Connections in all
    #[arg(long, short = 'c', value_name = "COUNT", default_value = "50", value_parser = at_least_one)]
    pub connections: usize,
    /// Requests that a connection may have under way
    #[arg(long, short = 'P', value_name = "COUNT", default_value = "1", value_parser = at_least_one)]
    pub pipeline: usize,
    /// Threads, each on a CPU of its own [default: as many as this process may use]
    #[arg(long, value_name = "COUNT", value_parser = at_least_one, conflicts_with = "cpus")]
    pub threads: Option<usize>,
    /// CPUs to run on, a thread on each: 0-3,6 [default: all that this process may use]
    #[arg(long, value_name = "LIST", value_parser = CpuList::parse)]
    pub cpus: Option<CpuList>,
}

impl ClientFlags {
    /// The CPUs to run on. The error is a sentence.
    pub fn cpus(&self) -> Result<Vec<usize>, String> {
        let allowed = allowed().map_err(|error| format!("the CPUs of this process cannot be asked for: {error}"))?;
        let chosen = match (&self.cpus, self.threads) {
            (Some(list), _) if list.is_empty() => return Err("--cpus names no CPU".to_owned()),
            (Some(list), _) => {
                if let Some(cpu) = list.as_slice().iter().find(|cpu| !allowed.as_slice().contains(cpu)) {
                    return Err(format!("--cpus names CPU {cpu}, and this process may run on {allowed} only"));
                }
                list.clone()
            }
            (None, Some(threads)) if threads > allowed.len() => {
                let (cpus, plural) = (allowed.len(), if allowed.len() == 1 { "" } else { "s" });
                return Err(format!(
                    "--threads {threads} is more than the {cpus} CPU{plural} that this process may use"
                ));
            }
            (None, threads) => allowed.first(threads.unwrap_or(allowed.len())),
        };
        Ok(chosen.as_slice().iter().map(|cpu| usize::from(*cpu)).collect())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match quantity::count(text) {
        Ok(count @ 1..=1_000_000) => Ok(count as usize),
        Ok(_) => Err("it must be at least 1 and at most 1m".to_owned()),
        Err(error) => Err(error.0),
    }
}
