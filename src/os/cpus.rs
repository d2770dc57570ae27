//! CPUs that the process may use: its affinity mask, and the quota of its control group.

use super::cgroup::{Group, Version, groups};
use crate::config::CpuList;
use crate::limits::{CORES_MAX, CPU_NUMBER_MAX};

/// The CPUs that the process may run on.
pub fn allowed() -> std::io::Result<CpuList> {
    let set = rustix::thread::sched_getaffinity(None)?;
    let cpus = (0..=CPU_NUMBER_MAX).filter(|cpu| set.is_set(usize::from(*cpu))).collect();
    CpuList::new(cpus).map_err(std::io::Error::other)
}

/// How many CPUs' worth of time the control group grants, rounded up; `None` without a quota.
pub fn quota() -> Option<usize> {
    groups("cpu").iter().filter_map(quota_of).min()
}

fn quota_of(group: &Group) -> Option<usize> {
    match group.version {
        Version::V2 => {
            let text = group.read("cpu.max")?;
            let (quota, period) = text.split_once(' ')?;
            cpus_of(quota, period)
        }
        Version::V1 => cpus_of(&group.read("cpu.cfs_quota_us")?, &group.read("cpu.cfs_period_us")?),
    }
}

/// `max` and -1 are no quota, and so is what cannot be read: the affinity mask bounds the choice anyway.
fn cpus_of(quota: &str, period: &str) -> Option<usize> {
    let (quota, period) = (quota.parse::<u64>().ok()?, period.parse::<u64>().ok()?);
    usize::try_from(quota.div_ceil(period.max(1)).max(1)).ok()
}

/// The CPUs to use: those of `setting` if the process may run on all of them, else as many as the quota is worth.
/// The error is a sentence.
pub fn choose(setting: Option<&CpuList>, allowed: &CpuList, quota: Option<usize>) -> Result<CpuList, String> {
    match setting {
        Some(cpus) => match cpus.as_slice().iter().find(|cpu| !allowed.as_slice().contains(cpu)) {
            Some(cpu) => Err(format!("cpus names CPU {cpu}, and this process may run on {allowed} only")),
            None => Ok(cpus.clone()),
        },
        None => Ok(allowed.first(quota.unwrap_or(CORES_MAX).min(CORES_MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_may_run_somewhere() {
        let cpus = allowed().unwrap();
        assert!(!cpus.is_empty());
        assert!(!choose(None, &cpus, quota()).unwrap().is_empty());
    }

    #[test]
    fn quotas_round_up() {
        assert_eq!(cpus_of("150000", "100000"), Some(2));
        assert_eq!(cpus_of("200000", "100000"), Some(2));
        assert_eq!(cpus_of("1000", "100000"), Some(1));
        assert_eq!(cpus_of("max", "100000"), None);
        assert_eq!(cpus_of("-1", "100000"), None);
        assert_eq!(cpus_of("5", "0"), Some(5));
    }

    #[test]
    fn the_choice_stays_within_mask_and_quota() {
        let list = |text: &str| CpuList::parse(text).unwrap();
        let chosen = |setting: Option<&str>, allowed, quota| {
            choose(setting.map(list).as_ref(), &list(allowed), quota).map(|cpus| cpus.to_string())
        };
        assert_eq!(chosen(None, "2-5", None).unwrap(), "2-5");
        assert_eq!(chosen(None, "2-5", Some(2)).unwrap(), "2-3");
        assert_eq!(chosen(None, "0-255", Some(200)).unwrap(), "0-63");
        assert_eq!(chosen(Some("5,2"), "2-5", Some(1)).unwrap(), "5,2", "what is asked for goes before the quota");
        assert_eq!(
            chosen(Some("1,2"), "2-5", None).unwrap_err(),
            "cpus names CPU 1, and this process may run on 2-5 only"
        );
    }
}
