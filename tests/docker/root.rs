//! A root directory like that of the image: the program, the places where the kernel shows itself, and nothing else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use corewise_harness::{missing, program};

use crate::files::Image;

/// Mounts what every container has, and starts the entry point as the user of the image. `$0` is the root.
const ENTER: &str = "mount --rbind /proc \"$0/proc\" && mount --rbind /sys \"$0/sys\" && exec chroot";

/// An empty directory for `what`.
pub(crate) fn directory(what: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("corewise-docker-{what}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// A command that starts the entry point of the image in `root`, made such a directory, as process 1 of a process namespace. `None` where
/// the system lets nobody make namespaces, which is tolerable on a developer's machine and not in CI.
pub(crate) fn launcher(image: &Image, root: &Path) -> Option<Command> {
    let Some(namespaces) = namespaces() else {
        missing("a namespace of its own (the entry point in an empty root directory; root has it)");
        return None;
    };
    fill(root);
    let mut command = Command::new("unshare");
    command.args(&namespaces).args(["--pid", "--fork", "--kill-child", "sh", "-c"]);
    let mut script = OsString::from(ENTER);
    // In a user namespace there is only one user.
    if namespaces.len() == 1 {
        script.push(format!(" --userspec={}", image.one("USER")));
    }
    script.push(" \"$0\" \"$@\"");
    command.arg(script).arg(root).args(image.json("ENTRYPOINT")).envs(image.environment());
    Some(command)
}

/// The flags of `unshare` by which this process can have mounts of its own.
fn namespaces() -> Option<Vec<&'static str>> {
    let candidates = [vec!["--mount"], vec!["--mount", "--map-root-user"]];
    candidates.into_iter().find(|flags| {
        let mut command = Command::new("unshare");
        command.args(flags).args(["--pid", "--fork", "mount", "-t", "tmpfs", "none", "/mnt"]);
        command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    })
}

/// Fills the root directory. A program that is not static, as `cargo build` makes it, brings its libraries.
fn fill(root: &Path) {
    for name in ["proc", "sys"] {
        std::fs::create_dir(root.join(name)).expect("an empty directory");
    }
    let copy = |from: &Path, to: &str| {
        let to = root.join(to.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().expect("it lies in the root")).expect("a new directory");
        std::fs::copy(from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    };
    copy(&program(), "/corewise");
    let libraries = Command::new("ldd").arg(program()).output().expect("ldd comes with the C library");
    for word in String::from_utf8_lossy(&libraries.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        copy(Path::new(word), word);
    }
}

/// Sends a signal to the only child of `pid`.
pub(crate) fn signal_child(pid: u32, signal: &str) {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it runs");
    let child = children.split_whitespace().next().expect("it has a child");
    let sent = Command::new("kill").args([&format!("-{signal}"), child]).status();
    assert!(sent.expect("kill is everywhere").success());
}
