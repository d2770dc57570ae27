//! `tuning/`: the script judges, changes and restores hosts that are built here, and the real one without a trace.
//!
//! A host is a directory with the files of /proc and /sys that the script reads, named by COREWISE_TUNE_ROOT. So every
//! verdict can be had on any machine, and what `apply` writes is read back from plain files.

mod host;
mod report;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use corewise::config::Config;
use corewise::limits::{FILES_OF_PROCESS, FILES_PER_CORE, LOCKED_MEMORY_BYTES_MIN};

use host::{Host, Scratch, is_installed, run, text, tuning};
use report::parse_report;

const OK: &str = "ok";
const ADVISED: &str = "advised";
const NOT_HERE: &str = "not here";

/// Every setting, in the order of the table.
const SETTINGS: [&str; 26] = [
    "kernel",
    "io-uring",
    "seccomp",
    "nofile",
    "file-max",
    "memlock",
    "somaxconn",
    "syn-backlog",
    "netdev-backlog",
    "local-ports",
    "thp",
    "swap",
    "overcommit",
    "cpu-quota",
    "governor",
    "c-states",
    "smt",
    "isolation",
    "clocksource",
    "numa",
    "numa-balancing",
    "zone-reclaim",
    "irq-affinity",
    "irqbalance",
    "rps",
    "xps",
];

const PINNED: [&str; 2] = ["--cpus", "2-3"];

#[test]
fn a_host_that_is_as_advised_is_left_in_peace() {
    let host = Host::good();
    let report = host.report(&PINNED);
    assert_eq!(report.len(), SETTINGS.len());
    for name in SETTINGS {
        let expected = if name == "smt" { NOT_HERE } else { OK };
        assert_eq!(report[name].verdict, expected, "{name}: {:?}", report[name]);
    }
    let (status, table) = host.tune(&["check", "--cpus", "2-3"]);
    assert_eq!(status, 0, "{table}");
    assert!(table.contains("25 as advised, 0 to change, 1 not here. Nothing was changed."), "{table}");
    let before = host.files();
    assert_eq!(host.tune(&["apply", "--cpus", "2-3"]), (0, "0 changed, 0 could not be.\n".to_owned()));
    assert!(host.files() == before, "apply has left something behind");
    let (status, said) = host.tune(&["revert"]);
    assert!(status == 0 && said.starts_with("Nothing to revert"), "{said}");
}

#[test]
fn a_host_without_anything_gets_reasons_instead_of_errors() {
    let host = Host::empty();
    for (name, advice) in host.report(&[]) {
        // Without a list of swap files or a process named irqbalance there is none.
        let expected = if ["swap", "irqbalance"].contains(&name.as_str()) { OK } else { NOT_HERE };
        assert_eq!(advice.verdict, expected, "{name}: {advice:?}");
    }
    let (status, table) = host.tune(&[]);
    assert_eq!(status, 0, "{table}");
    assert_eq!(host.tune(&["apply", "--persist"]).0, 0);
}

/// One setting of the good host, as it is now, and what the script makes of it.
#[track_caller]
fn check(name: &str, files: &[(&str, &str)], verdict: &str, says: &str) {
    check_with(name, files, &PINNED, verdict, says);
}

#[track_caller]
fn check_with(name: &str, files: &[(&str, &str)], arguments: &[&str], verdict: &str, says: &str) {
    let host = Host::good();
    for (file, value) in files {
        host.write(file, value);
    }
    let report = host.report(&[arguments, &["--only", name]].concat());
    let advice = &report[name];
    let told = format!("{} -> {} | {}", advice.now, advice.advised, advice.how);
    assert!(report.len() == 1 && advice.verdict == verdict && told.contains(says), "{name} {files:?}: {advice:?}");
}

#[test]
fn kernel_and_io_uring() {
    let release = "proc/sys/kernel/osrelease";
    check("kernel", &[(release, "6.1.0-40-amd64")], ADVISED, "6.1 works");
    check("kernel", &[(release, "5.10.0-35-amd64")], ADVISED, "does not start");
    check("kernel", &[(release, "7.0.1")], OK, "7.0.1");
    check("kernel", &[(release, "none")], NOT_HERE, "does not tell");
    let (disabled, group) = ("proc/sys/kernel/io_uring_disabled", "proc/sys/kernel/io_uring_group");
    check("io-uring", &[(disabled, "2")], ADVISED, "sysctl -w kernel.io_uring_disabled='0'");
    check("io-uring", &[(disabled, "1")], ADVISED, "0");
    let member = ("proc/self/status", "Gid:\t1000\t1000\t1000\t1000\nGroups:\t1000 997\n");
    check("io-uring", &[(disabled, "1"), (group, "997"), member], OK, "997");
    check("io-uring", &[(disabled, "1"), (group, "99"), member], ADVISED, "0");
    check("seccomp", &[("proc/self/status", "Seccomp:\t2")], ADVISED, "io_uring_enter");
}

#[test]
fn limits() {
    let with = |name: &str, files, locked, arguments: &[&str]| {
        let host = Host::good();
        host.limits("self", files, locked);
        host.report(&[arguments, &["--only", name]].concat())[name].clone()
    };
    let enough = ("8388608", "8388608");
    // 10,000 clients, 64 files of the process and 48 of each of two cores. The server raises the soft limit by itself.
    assert_eq!(with("nofile", ("1024", "10160"), enough, &PINNED).verdict, OK);
    let short = with("nofile", ("1024", "10159"), enough, &PINNED);
    assert!(short.verdict == ADVISED && short.how.contains("LimitNOFILE=10160"), "{short:?}");
    assert_eq!(with("nofile", ("1024", "10159"), enough, &["--cpus", "2"]).verdict, OK);
    assert_eq!(with("nofile", ("1024", "10159"), enough, &["--cpus", "2,3", "--maxclients", "100"]).verdict, OK);
    assert_eq!(with("nofile", ("1024", "unlimited"), enough, &PINNED).verdict, OK);
    let files = ("1024", "20000");
    assert_eq!(with("memlock", files, ("65536", "524288"), &PINNED).verdict, OK);
    let short = with("memlock", files, ("65536", "65536"), &PINNED);
    assert!(short.verdict == ADVISED && short.now == "64 KiB (hard)", "{short:?}");
    assert_eq!(with("memlock", files, ("65536", "524288"), &["--cpus", "0-7"]).verdict, ADVISED);
    assert_eq!(with("memlock", files, ("unlimited", "unlimited"), &PINNED).now, "unlimited (hard)");
    check("file-max", &[("proc/sys/fs/nr_open", "4096")], ADVISED, "fs.nr_open=10160");
    check("file-max", &[("proc/sys/fs/file-max", "16000")], ADVISED, "fs.file-max=20320");
}

#[test]
fn a_running_server_is_judged_by_its_own_limits_and_threads() {
    let host = Host::good();
    host.write("proc/77/status", "Groups:\nSeccomp:\t2\nCpus_allowed_list:\t0-7\nVmSwap:\t2048 kB");
    host.write("proc/77/cgroup", "0::/system.slice/corewise.service");
    host.write("sys/fs/cgroup/system.slice/cpu.max", "50000 100000");
    host.write("sys/fs/cgroup/system.slice/cpu.stat", "nr_periods 9\nnr_throttled 7");
    host.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 2097148 4096 -2");
    host.limits("77", ("1024", "1048576"), ("65536", "65536"));
    for (thread, name, cpus) in [("77", "corewise", "0-7"), ("78", "corewise-0-2", "2"), ("79", "corewise-1-3", "3")] {
        host.write(&format!("proc/77/task/{thread}/comm"), name);
        host.write(&format!("proc/77/task/{thread}/status"), &format!("Cpus_allowed_list:\t{cpus}"));
    }
    let (_, json) = host.tune(&["--pid", "77", "--json"]);
    assert!(json.starts_with("{\"cpus\": \"2-3\""), "{json}");
    let report = host.report(&["--pid", "77"]);
    assert_eq!((report["nofile"].verdict.as_str(), report["nofile"].now.as_str()), (ADVISED, "1024 (soft)"));
    assert_eq!((report["memlock"].verdict.as_str(), report["memlock"].apply), (ADVISED, true));
    assert_eq!(report["seccomp"].verdict, OK, "a server that runs has what it needs");
    assert_eq!(report["cpu-quota"].now, "50 % of one CPU, throttled 7 times");
    assert!(report["swap"].now.contains("MiB by the server"), "{:?}", report["swap"]);
    // Another root's processes are not this machine's, so its limits are refused, as a file of the kernel may be.
    host.write("proc/77/stat", &format!("77 (a) b) S {}", "1 ".repeat(30)));
    let (status, said) = host.tune(&["apply", "--pid", "77", "--only", "nofile,cpu-quota,swap"]);
    assert!(status == 3 && said.contains("refused      prlimit/77/nofile: stays 1024:1048576"), "{said}");
    assert!(said.contains("1 changed, 1 could not be."), "{said}");
    assert!(said.contains("1 more advised by `corewise-tune check`"), "{said}");
    assert_eq!(host.read("proc/sys/vm/swappiness"), "1\n");
}

#[test]
fn sockets() {
    let file = "proc/sys/net/core/somaxconn";
    check("somaxconn", &[(file, "128")], ADVISED, "net.core.somaxconn='4096'");
    check("somaxconn", &[(file, "511")], OK, "511");
    let long = ["--cpus", "2-3", "--backlog=65535"];
    check_with("somaxconn", &[(file, "4096")], &long, ADVISED, "net.core.somaxconn='65535'");
    let (size, cookies) = ("proc/sys/net/ipv4/tcp_max_syn_backlog", "proc/sys/net/ipv4/tcp_syncookies");
    check("syn-backlog", &[(size, "128")], OK, "cookies on");
    check("syn-backlog", &[(size, "128"), (cookies, "0")], ADVISED, "tcp_max_syn_backlog='4096'");
    let dropped = ("proc/net/softnet_stat", "00000001 0000000a\n00000001 00000010 00000000");
    check("netdev-backlog", &[dropped], ADVISED, "1000, 26 dropped");
    check("netdev-backlog", &[dropped, ("proc/sys/net/core/netdev_max_backlog", "4096")], OK, "26 dropped");
    let (range, reserved) = ("proc/sys/net/ipv4/ip_local_port_range", "proc/sys/net/ipv4/ip_local_reserved_ports");
    check("local-ports", &[(range, "1024\t65535")], ADVISED, "ip_local_reserved_ports='6379'");
    check("local-ports", &[(range, "1024\t65535"), (reserved, "6000-6400")], OK, "6000-6400");
    check_with("local-ports", &[(reserved, "40000")], &["--port", "6379,50000-50003"], ADVISED, "'40000,50000-50003'");
}

#[test]
fn memory() {
    let huge = "sys/kernel/mm/transparent_hugepage/enabled";
    check("thp", &[(huge, "[always] madvise never")], ADVISED, "echo madvise");
    check("thp", &[(huge, "always madvise [never]")], OK, "never");
    let swap = ("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 2097148 4096 -2");
    check("swap", &[swap], ADVISED, "swappiness 60, 4 of 2047 MiB used");
    check("swap", &[swap, ("proc/sys/vm/swappiness", "1")], OK, "swappiness 1");
    let overcommit = "proc/sys/vm/overcommit_memory";
    check("overcommit", &[(overcommit, "2")], ADVISED, "vm.overcommit_memory='0'");
    check("overcommit", &[(overcommit, "1")], OK, "1");
}

#[test]
fn cpus() {
    let quota = "sys/fs/cgroup/user.slice/cpu.max";
    check("cpu-quota", &[(quota, "150000 100000")], ADVISED, "150 % of one CPU");
    let version_1 = [
        ("proc/self/cgroup", "3:cpu,cpuacct:/docker/abc\n1:name=systemd:/"),
        ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "20000"),
        ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000"),
    ];
    check("cpu-quota", &version_1, ADVISED, "20 % of one CPU");
    let governor = "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor";
    check("governor", &[(governor, "powersave")], ADVISED, "performance on CPU 3");
    let others = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    check("governor", &[(others, "powersave")], OK, "performance");
    check("c-states", &[("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "0")], ADVISED, "C6 (133 us)");
    let siblings = |cpu: u8| format!("sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    check("smt", &[(&siblings(2), "2-3"), (&siblings(3), "2-3")], ADVISED, "--cpus 2");
    check("smt", &[(&siblings(2), "2,6"), (&siblings(3), "3,7")], OK, "one thread per core");
    check("isolation", &[("sys/devices/system/cpu/isolated", "")], ADVISED, "isolcpus=managed_irq,domain,2-3");
    check_with("isolation", &[], &["--cpus", "0-7"], NOT_HERE, "every CPU");
    let clock = "sys/devices/system/clocksource/clocksource0/current_clocksource";
    check("clocksource", &[(clock, "hpet")], ADVISED, "tsc");
}

#[test]
fn nodes() {
    check_with("numa", &[], &["--cpus", "3-4"], ADVISED, "nodes 0-1");
    check_with("numa", &[], &["--cpus", "4-5"], ADVISED, "eth0 on node 0");
    check("numa-balancing", &[("proc/sys/kernel/numa_balancing", "1")], ADVISED, "kernel.numa_balancing='0'");
    check("zone-reclaim", &[("proc/sys/vm/zone_reclaim_mode", "1")], ADVISED, "vm.zone_reclaim_mode='0'");
}

#[test]
fn interrupts_and_queues() {
    // Beside the pinned cores of its node.
    check("irq-affinity", &[("proc/irq/42/smp_affinity_list", "2")], ADVISED, "eth0: on CPU 0-1");
    check("irq-affinity", &[("proc/irq/42/smp_affinity_list", "0-7")], ADVISED, "CPU 0-1");
    let effective = ("proc/irq/42/effective_affinity_list", "1");
    check("irq-affinity", &[("proc/irq/42/smp_affinity_list", "0-7"), effective], OK, "4 on CPU 0-1");
    // Where Corewise has every CPU, spread: two interrupts on each of two.
    check_with("irq-affinity", &[("sys/devices/system/cpu/online", "0-1")], &["--cpus", "0-1"], OK, "spread");
    let heap = [("sys/devices/system/cpu/online", "0-1"), ("proc/irq/41/smp_affinity_list", "0")];
    check_with("irq-affinity", &heap, &["--cpus", "0-1"], ADVISED, "on CPU 0-1");

    check("irqbalance", &[("proc/512/comm", "irqbalance")], ADVISED, "IRQBALANCE_BANNED_CPULIST=2-3");
    let banned = ("proc/512/environ", "A=1\0IRQBALANCE_BANNED_CPULIST=2-3\0");
    check("irqbalance", &[("proc/512/comm", "irqbalance"), banned], OK, "without CPU 2-3");

    let steered = |mask| ("sys/class/net/eth0/queues/rx-1/rps_cpus", mask);
    check("rps", &[steered("ff")], ADVISED, "eth0: mask 0");
    check("rps", &[steered("00000000,00000003")], OK, "mask");
    let one_queue = Host::good();
    for queue in 1..4 {
        fs::remove_dir_all(one_queue.path(&format!("sys/class/net/eth0/queues/rx-{queue}"))).unwrap();
        fs::remove_dir_all(one_queue.path(&format!("sys/class/net/eth0/queues/tx-{queue}"))).unwrap();
    }
    let report = one_queue.report(&PINNED);
    assert!(report["rps"].verdict == ADVISED && report["rps"].advised == "eth0: mask 3", "{:?}", report["rps"]);
    assert_eq!(report["xps"].verdict, NOT_HERE);

    let unset = |queue: u8| (format!("sys/class/net/eth0/queues/tx-{queue}/xps_cpus"), "00");
    let unset: Vec<_> = (0..4).map(unset).collect();
    let unset: Vec<_> = unset.iter().map(|(file, mask)| (file.as_str(), *mask)).collect();
    check("xps", &unset, ADVISED, "4 queues");
    check("xps", &[("sys/class/net/eth0/operstate", "down")], NOT_HERE, "no network interface");
}

/// A good host on which much is wrong.
fn bad() -> Host {
    let host = Host::good();
    let files = [
        ("proc/sys/kernel/io_uring_disabled", "2"),
        ("proc/sys/kernel/numa_balancing", "1"),
        ("proc/sys/net/core/somaxconn", "128"),
        ("proc/sys/net/ipv4/ip_local_port_range", "1024\t65535"),
        ("proc/sys/vm/overcommit_memory", "2"),
        ("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 2097148 0 -2"),
        ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never"),
        ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave"),
        ("sys/devices/system/cpu/cpu3/cpuidle/state2/disable", "0"),
        ("proc/irq/41/smp_affinity_list", "2"),
        ("sys/class/net/eth0/queues/rx-0/rps_cpus", "ff"),
        ("sys/class/net/eth0/queues/tx-2/xps_cpus", "00"),
    ];
    for (file, value) in files {
        host.write(file, value);
    }
    host
}

/// What `apply` makes of [`bad`].
const APPLIED: [(&str, &str); 14] = [
    ("proc/sys/kernel/io_uring_disabled", "0"),
    ("proc/sys/kernel/numa_balancing", "0"),
    ("proc/sys/net/core/somaxconn", "4096"),
    ("proc/sys/net/ipv4/ip_local_reserved_ports", "6379"),
    ("proc/sys/vm/overcommit_memory", "0"),
    ("proc/sys/vm/swappiness", "1"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "madvise"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/cpu3/cpuidle/state2/disable", "1"),
    ("proc/irq/40/smp_affinity_list", "0"),
    ("proc/irq/41/smp_affinity_list", "1"),
    ("sys/class/net/eth0/queues/rx-0/rps_cpus", "0"),
    ("sys/class/net/eth0/queues/tx-2/xps_cpus", "44"),
    ("sys/class/net/eth0/queues/tx-3/xps_cpus", "88"),
];

/// The files with the choice of huge pages as the plain word that a file, unlike the kernel, keeps of it.
fn originals(host: &Host) -> BTreeMap<PathBuf, String> {
    let mut files = host.files();
    files.insert(host.path("sys/kernel/mm/transparent_hugepage/enabled"), "always\n".to_owned());
    files
}

#[test]
fn what_is_applied_is_reverted_exactly() {
    let host = bad();
    let before = originals(&host);
    let (status, said) = host.tune(&["apply", "--dry-run", "--cpus", "2-3"]);
    assert!(status == 0 && said.contains("would set    /proc/sys/net/core/somaxconn: 128 -> 4096"), "{said}");
    assert!(originals(&host) == before, "a dry run has changed something");

    let (status, said) = host.tune(&["apply", "--cpus", "2-3"]);
    assert!(status == 0 && said.contains("0 could not be"), "{said}");
    for (file, value) in APPLIED {
        assert_eq!(host.read(file), format!("{value}\n"), "{file}\n{said}");
    }
    let state = host.read("run/corewise-tune.state");
    assert!(state.contains("/proc/sys/net/core/somaxconn\t128\n"), "{state}");
    assert_eq!(host.tune(&["check", "--cpus", "2-3"]).0, 0, "nothing is advised any more");

    // Somebody else changes a value, and a second apply mends it: the first original stays the original.
    host.write("proc/sys/net/core/somaxconn", "256");
    let (status, said) = host.tune(&["apply", "--cpus", "2-3"]);
    assert!(status == 0 && said.contains("somaxconn: 256 -> 4096"), "{said}");
    assert_eq!(host.read("run/corewise-tune.state"), state);

    let applied = host.files();
    let (status, said) = host.tune(&["revert", "--dry-run"]);
    assert!(status == 0 && said.contains("would set    /proc/sys/net/core/somaxconn: 4096 -> 128"), "{said}");
    assert!(host.files() == applied, "a dry run has changed something");
    let (status, said) = host.tune(&["revert"]);
    assert_eq!(status, 0, "{said}");
    assert!(host.files() == before, "{said}");
    let (status, said) = host.tune(&["revert"]);
    assert!(status == 0 && said.starts_with("Nothing to revert"), "{said}");
}

#[test]
fn only_what_is_named_is_changed() {
    let host = bad();
    let before = host.files();
    let (status, said) = host.tune(&["apply", "--cpus", "2-3", "--only", "overcommit,somaxconn"]);
    assert!(status == 0 && said.contains("2 changed"), "{said}");
    let changed = host.files().iter().filter(|(path, text)| before.get(*path) != Some(text)).count();
    assert_eq!(changed, 3, "two settings and the state");
}

#[test]
fn vanished_files_are_told_of_and_forgotten() {
    let host = bad();
    host.tune(&["apply", "--cpus", "2-3"]);
    fs::remove_dir_all(host.path("sys/class/net/eth0")).unwrap();
    fs::remove_dir_all(host.path("proc/irq/41")).unwrap();
    let (status, said) = host.tune(&["revert"]);
    assert!(status == 0 && said.contains("gone         /proc/irq/41/smp_affinity_list"), "{said}");
    assert_eq!(host.read("proc/sys/net/core/somaxconn"), "128\n");
    assert!(!host.path("run/corewise-tune.state").exists());
}

#[test]
fn what_persists_carries_its_originals_across_a_boot() {
    let host = bad();
    let before = originals(&host);
    let file = "etc/sysctl.d/60-corewise.conf";
    assert_eq!(host.tune(&["apply", "--cpus", "2-3", "--only", "somaxconn"]).0, 0);
    let (status, said) = host.tune(&["apply", "--cpus", "2-3", "--persist"]);
    assert!(status == 0 && said.contains("wrote        /etc/sysctl.d/60-corewise.conf"), "{said}");
    let written = host.read(file);
    assert!(written.contains("\nnet.core.somaxconn = 4096\n"), "what was applied before is kept, too: {written}");
    assert!(written.contains("\nvm.overcommit_memory = 0\n") && !written.contains("smp_affinity"), "{written}");

    // After a boot /run is empty and the file in force.
    fs::remove_file(host.path("run/corewise-tune.state")).unwrap();
    host.write("proc/sys/vm/swappiness", "30");
    assert_eq!(host.tune(&["apply", "--cpus", "2-3", "--persist"]).0, 0);
    assert!(host.read(file).contains("#was /proc/sys/vm/swappiness=60\n"), "{}", host.read(file));
    let (status, said) = host.tune(&["revert"]);
    assert!(status == 0 && said.contains("removed      /etc/sysctl.d/60-corewise.conf"), "{said}");
    assert!(!host.path(file).exists() && !host.path("run/corewise-tune.state").exists());
    for name in ["proc/sys/net/core/somaxconn", "proc/sys/vm/swappiness", "proc/sys/net/ipv4/ip_local_reserved_ports"] {
        assert_eq!(host.read(name), before[&host.path(name)], "{name}\n{said}");
    }
}

#[test]
fn a_file_of_the_operator_is_not_overwritten() {
    let host = bad();
    host.write("etc/sysctl.d/60-corewise.conf", "net.core.somaxconn = 1000");
    let (status, said) = host.tune(&["apply", "--cpus", "2-3", "--persist"]);
    assert!(status == 3 && said.contains("was not written by corewise-tune"), "{said}");
    host.tune(&["revert"]);
    assert_eq!(host.read("etc/sysctl.d/60-corewise.conf"), "net.core.somaxconn = 1000\n");
}

#[test]
fn nothing_is_changed_that_could_not_be_undone() {
    let host = bad();
    fs::create_dir_all(host.path("run/corewise-tune.state")).unwrap();
    let before: Vec<_> = APPLIED.iter().map(|(file, _)| host.read(file)).collect();
    let output = host.output(&["apply", "--cpus", "2-3"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("nothing was changed"), "{}", text(&output.stderr));
    assert_eq!(APPLIED.iter().map(|(file, _)| host.read(file)).collect::<Vec<_>>(), before);
}

#[test]
fn wrong_command_lines_end_with_two_and_a_sentence() {
    let host = Host::good();
    let wrong: [&[&str]; 14] = [
        &["tune"],
        &["--fast"],
        &["check", "apply"],
        &["--cpus"],
        &["--cpus", "2-"],
        &["--cpus", "3-2"],
        &["--cpus", "8"],
        &["--port", "70000"],
        &["--pid", "999"],
        &["--backlog", "many"],
        &["--only", "somaxconn,colour"],
        &["--dry-run"],
        &["revert", "--only", "thp"],
        &["apply", "--json"],
    ];
    for arguments in wrong {
        let output = host.output(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(output.stdout.is_empty() && stderr.starts_with("corewise-tune: ") && stderr.lines().count() == 1);
    }
    let (status, help) = host.tune(&["--help"]);
    assert_eq!(status, 0);
    for name in SETTINGS.iter().chain(&["Exit status", "--persist", "COREWISE_TUNE_ROOT"]) {
        assert!(help.contains(name), "{name} is missing in --help");
    }
}

#[test]
fn tables_are_at_most_120_columns_wide() {
    for (host, arguments) in [(bad(), &PINNED[..]), (Host::good(), &["--cpus", "0-7"]), (Host::empty(), &[])] {
        let (_, table) = host.tune(&[&["check", "--all"], arguments].concat());
        for line in table.lines() {
            assert!(line.len() <= 120 && line.trim_end() == line, "{} columns: {line:?}", line.len());
        }
    }
}

/// Files that the script could change on this machine, with what they hold.
fn knobs() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut knobs = BTreeMap::new();
    for directory in ["/proc/sys/net/core", "/proc/sys/net/ipv4", "/proc/sys/vm", "/proc/sys/kernel"] {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // The last process and the rate of samples change by themselves.
            let busy = name == "ns_last_pid" || name.starts_with("perf_");
            if let (false, Ok(text)) = (busy, fs::read(&path)) {
                knobs.insert(path, text);
            }
        }
    }
    for file in ["/sys/kernel/mm/transparent_hugepage/enabled", "/proc/sys/fs/nr_open", "/proc/sys/fs/file-max"] {
        if let Ok(text) = fs::read(file) {
            knobs.insert(file.into(), text);
        }
    }
    knobs.insert("/run/corewise-tune.state".into(), fs::read("/run/corewise-tune.state").unwrap_or_default());
    knobs
}

#[test]
fn this_machine_gets_a_table_and_keeps_what_it_has() {
    let as_is = || {
        let mut command = Command::new(tuning("corewise-tune"));
        command.env_remove("COREWISE_TUNE_ROOT");
        command
    };
    let mut ways = vec![("the current user", as_is())];
    if rustix::process::geteuid().is_root() && is_installed("setpriv") {
        // The repository may be closed to others, so the script comes as an argument.
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c"]);
        command.args([&fs::read_to_string(tuning("corewise-tune")).unwrap(), "corewise-tune"]);
        command.env_remove("COREWISE_TUNE_ROOT").current_dir("/");
        ways.push(("nobody", command));
    }
    for (who, mut command) in ways {
        let before = knobs();
        let output = run(command.arg("check"));
        assert!(knobs() == before, "check as {who} has changed something");
        let table = text(&output.stdout);
        assert_eq!(text(&output.stderr), "", "{who}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{who}: {:?}\n{table}", output.status);
        for name in SETTINGS {
            let rows =
                table.lines().filter(|line| line.get(10..).is_some_and(|rest| rest.split(' ').next() == Some(name)));
            assert_eq!(rows.count(), 1, "{who}: {name}\n{table}");
        }
        let report = parse_report(&text(&run(command.arg("--json")).stdout));
        assert!(report.iter().map(|(name, _)| name.as_str()).eq(SETTINGS), "{report:?}");
    }
}

#[test]
fn the_script_has_the_servers_own_numbers() {
    let script = fs::read_to_string(tuning("corewise-tune")).unwrap();
    let config = Config::default();
    let numbers = [
        ("FILES_PER_CORE", FILES_PER_CORE),
        ("FILES_OF_PROCESS", FILES_OF_PROCESS),
        ("LOCKED_KIB_MIN", LOCKED_MEMORY_BYTES_MIN / 1024),
        ("BACKLOG_DEFAULT", config.tcp_backlog.unsigned_abs().into()),
        ("CLIENTS_DEFAULT", config.maxclients.into()),
        ("PORT_DEFAULT", config.port.into()),
        ("CPU_NUMBER_MAX", corewise::limits::CPU_NUMBER_MAX.into()),
    ];
    for (name, number) in numbers {
        assert!(script.contains(&format!("readonly {name}={number}\n")), "{name} is {number}");
    }
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if is_installed("shellcheck") {
        let output = run(Command::new("shellcheck").arg(tuning("corewise-tune")));
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

/// The value of a key of the unit, the last if it is there twice.
fn of_unit<'a>(unit: &'a str, key: &str) -> Option<&'a str> {
    unit.lines().rev().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn the_unit_starts_the_server_with_flags_that_it_knows() {
    let unit = fs::read_to_string(tuning("corewise.service")).unwrap();
    let command = of_unit(&unit, "ExecStart").expect("ExecStart");
    let flags = command.strip_prefix("/usr/local/bin/corewise serve ").expect("the server");
    let scratch = Scratch::new();
    // What the manager hands over where the operator has no file.
    let (name, default) = of_unit(&unit, "SetCredential").and_then(|text| text.split_once(':')).expect("a default");
    fs::write(scratch.0.join(name), default).unwrap();
    let directory = scratch.0.to_str().unwrap();
    let flags = flags.replace("${CREDENTIALS_DIRECTORY}", directory);
    assert!(!flags.contains(['$', '%']), "{flags}");
    let check_config = |variables: &[(&str, &str)]| {
        let mut command = Command::new(corewise_harness::program());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COREWISE_")) {
            command.env_remove(name);
        }
        run(command.arg("check-config").args(flags.split(' ')).envs(variables.iter().copied()))
    };
    let output = check_config(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("port 6379"));
    // The variable that the unit's first lines give as an example.
    let output = check_config(&[("COREWISE_MAXMEMORY", "8gb")]);
    assert!(text(&output.stdout).contains("maxmemory 8589934592"), "{}", text(&output.stdout));

    assert_eq!(of_unit(&unit, "Type"), Some("notify"));
    let locked = of_unit(&unit, "LimitMEMLOCK").and_then(|text| text.strip_suffix('M')).expect("mebibytes");
    assert!(locked.parse::<u64>().unwrap() << 20 >= LOCKED_MEMORY_BYTES_MIN);
    let files: u64 = of_unit(&unit, "LimitNOFILE").expect("LimitNOFILE").parse().unwrap();
    assert!(files >= u64::from(Config::default().maxclients) + FILES_OF_PROCESS + 64 * FILES_PER_CORE);
}

#[test]
fn systemd_understands_the_unit_and_finds_it_hardened() {
    if !is_installed("systemd-analyze") {
        return;
    }
    // With this build's program in place of the installed one, which need not be there.
    let unit = fs::read_to_string(tuning("corewise.service")).unwrap();
    let program = corewise_harness::program();
    let unit = unit.replace("=/usr/local/bin/corewise ", &format!("={} ", Path::new(&program).display()));
    let scratch = Scratch::new();
    let path = scratch.0.join("corewise.service");
    fs::write(&path, unit).unwrap();
    let output = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path));
    let said = text(&output.stderr);
    assert!(output.status.success() && !said.contains("corewise.service"), "{said}");
    // Exposure in tenths, of 100; the unit has 14. What is left is what a server needs: sockets and its own CPUs.
    let mut command = Command::new("systemd-analyze");
    let output = run(command.args(["security", "--offline=true", "--threshold=20", "--no-pager"]).arg(&path));
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}
