//! Hosts that are built here: directories with the files of /proc and /sys that the script reads.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ADVISED;
use crate::report::{Advice, parse_report};

pub(crate) fn tuning(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning").join(name)
}

/// Whether a program is there; a test that needs one says so if it is not.
#[expect(clippy::print_stdout, reason = "a test that cannot be made says so")]
pub(crate) fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join(program).is_file());
    if !found {
        println!("NOT CHECKED: {program} is not installed");
    }
    found
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A directory of its own, removed on drop.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("corewise-tuning-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A host that is built here.
pub(crate) struct Host {
    root: Scratch,
}

const IRQS: [&str; 4] = ["40", "41", "42", "43"];

impl Host {
    /// Nothing at all: what the script sees where it may read nothing.
    pub(crate) fn empty() -> Self {
        Self { root: Scratch::new() }
    }

    /// A machine of two nodes, eight CPUs of one thread each and a NIC with four queues, on which everything is as
    /// advised for a server on CPUs 2-3.
    pub(crate) fn good() -> Self {
        let host = Self::empty();
        let sysctls = [
            ("kernel/osrelease", "6.12.48+deb13-amd64"),
            ("kernel/io_uring_disabled", "0"),
            ("kernel/io_uring_group", "-1"),
            ("kernel/numa_balancing", "0"),
            ("fs/nr_open", "1048576"),
            ("fs/file-max", "9223372036854775807"),
            ("net/core/somaxconn", "4096"),
            ("net/core/netdev_max_backlog", "1000"),
            ("net/ipv4/tcp_max_syn_backlog", "2048"),
            ("net/ipv4/tcp_syncookies", "1"),
            ("net/ipv4/ip_local_port_range", "32768\t60999"),
            ("net/ipv4/ip_local_reserved_ports", ""),
            ("vm/swappiness", "60"),
            ("vm/overcommit_memory", "0"),
            ("vm/zone_reclaim_mode", "0"),
        ];
        for (name, value) in sysctls {
            host.write(&format!("proc/sys/{name}"), value);
        }
        host.write("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority");
        host.write("proc/net/softnet_stat", "002a1d23 00000000 00000000\n0027b6dc 00000000 00000000");
        host.write(
            "proc/self/status",
            "Name:\tbash\nGid:\t0\t0\t0\t0\nGroups:\t0\nSeccomp:\t0\nCpus_allowed_list:\t0-7",
        );
        host.limits("self", ("1024", "1048576"), ("8388608", "8388608"));
        host.write("proc/self/cgroup", "0::/user.slice/shell");
        host.write("sys/fs/cgroup/user.slice/cpu.max", "max 100000");
        host.write("sys/fs/cgroup/user.slice/shell/cpu.max", "max 100000");
        host.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
        host.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
        host.write("sys/devices/system/cpu/online", "0-7");
        host.write("sys/devices/system/cpu/isolated", "2-3");
        host.write("sys/devices/system/cpu/nohz_full", "2-3");
        host.write("sys/devices/system/node/node0/cpulist", "0-3");
        host.write("sys/devices/system/node/node1/cpulist", "4-7");
        for cpu in 0..8 {
            let directory = format!("sys/devices/system/cpu/cpu{cpu}");
            host.write(&format!("{directory}/cpufreq/scaling_governor"), "performance");
            host.write(&format!("{directory}/cpufreq/scaling_available_governors"), "performance powersave");
            host.write(&format!("{directory}/topology/thread_siblings_list"), &cpu.to_string());
            for (state, name, latency, disabled) in [(0, "POLL", 0, 0), (1, "C1", 2, 0), (2, "C6", 133, 1)] {
                let state = format!("{directory}/cpuidle/state{state}");
                host.write(&format!("{state}/name"), name);
                host.write(&format!("{state}/latency"), &latency.to_string());
                host.write(&format!("{state}/disable"), &disabled.to_string());
            }
        }
        let nic = "sys/class/net/eth0";
        host.write(&format!("{nic}/operstate"), "up");
        host.write(&format!("{nic}/device/numa_node"), "0");
        host.write("proc/interrupts", "  39: 1 0 PCI-MSI eth0-config\n 40: 1 2 PCI-MSI eth0-TxRx-0\n140: 1 0 misc");
        for (queue, irq) in IRQS.iter().enumerate() {
            host.write(&format!("{nic}/device/msi_irqs/{irq}"), "msix");
            host.write(&format!("proc/irq/{irq}/smp_affinity_list"), &(queue % 2).to_string());
            host.write(&format!("{nic}/queues/rx-{queue}/rps_cpus"), "00");
            host.write(&format!("{nic}/queues/tx-{queue}/xps_cpus"), &format!("{:02x}", 0x11 << queue));
        }
        // Of the control channel's interrupt and of the loopback interface nothing is asked.
        host.write(&format!("{nic}/device/msi_irqs/39"), "msix");
        host.write("proc/irq/39/smp_affinity_list", "3");
        host.write("sys/class/net/lo/queues/rx-0/rps_cpus", "00");
        host
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root.0.join(file)
    }

    /// Writes a file as the kernel shows it, with an end of line.
    pub(crate) fn write(&self, file: &str, value: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{value}\n")).unwrap();
    }

    pub(crate) fn limits(&self, process: &str, files: (&str, &str), locked: (&str, &str)) {
        let line = |name, (soft, hard), unit| format!("{name:<26}{soft:<21}{hard:<21}{unit:<10}");
        let lines = [
            line("Limit", ("Soft Limit", "Hard Limit"), "Units"),
            line("Max open files", files, "files"),
            line("Max locked memory", locked, "bytes"),
        ];
        self.write(&format!("proc/{process}/limits"), &lines.join("\n"));
    }

    pub(crate) fn read(&self, file: &str) -> String {
        let path = self.path(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Runs the script, which must have nothing to say on its standard error, and answers its status and output.
    #[track_caller]
    pub(crate) fn tune(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.output(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(stderr, "", "{arguments:?}\n{stdout}");
        (output.status.code().expect("it ended by itself"), stdout)
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        run(Command::new(tuning("corewise-tune")).args(arguments).env("COREWISE_TUNE_ROOT", &self.root.0))
    }

    /// What the script says of every setting for a server on CPUs 2-3.
    #[track_caller]
    pub(crate) fn report(&self, arguments: &[&str]) -> HashMap<String, Advice> {
        let before = self.files();
        let (status, json) = self.tune(&[&["check", "--json"], arguments].concat());
        assert!(self.files() == before, "check has changed something");
        let report = parse_report(&json);
        let advised = report.iter().any(|(_, advice)| advice.verdict == ADVISED);
        assert_eq!(status, i32::from(advised), "{json}");
        for (name, advice) in &report {
            let complete = !advice.now.is_empty() && !advice.advised.is_empty() && advice.why.contains("Source: ");
            assert!(complete, "{name}: {advice:?}");
            assert_eq!(advice.verdict == ADVISED, !advice.how.is_empty(), "{name}: {advice:?}");
            assert!(advice.verdict == ADVISED || !advice.apply, "{name}: {advice:?}");
        }
        report.into_iter().collect()
    }

    /// Every file with what it holds.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, String> {
        fn walk(directory: &Path, files: &mut BTreeMap<PathBuf, String>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, files);
                } else {
                    files.insert(path.clone(), fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        walk(&self.root.0, &mut files);
        files
    }
}
