//! Where the control groups of this process lie, version 1 and 2.
//!
//! A limit holds if the process's own group or any group above it sets it, so callers read a file in every directory
//! and take the least. In a container the path of the group may not exist below the mount; its root then stands for it.

use std::fs;
use std::path::{Path, PathBuf};

/// The two generations write their limits into different files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    V1,
    V2,
}

/// One control group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Group {
    pub(super) version: Version,
    directory: PathBuf,
}

impl Group {
    /// What a file of the group says, without the end of the line.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.directory.join(file)).ok().map(|text| text.trim_ascii().to_owned())
    }
}

/// The groups that bound `controller` ("cpu", "memory") for this process, from its own up to the root.
pub(super) fn groups(controller: &str) -> Vec<Group> {
    let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    groups_in(Path::new("/sys/fs/cgroup"), &membership, controller)
}

fn groups_in(mount: &Path, membership: &str, controller: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    for line in membership.lines() {
        // `hierarchy:controllers:path`; version 2 is hierarchy 0 without controllers.
        let mut fields = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (version, root) = match hierarchy {
            "0" if controllers.is_empty() => (Version::V2, mount.to_owned()),
            _ if controllers.split(',').any(|name| name == controller) => (Version::V1, mount.join(controller)),
            _ => continue,
        };
        let own = root.join(path.trim_start_matches('/'));
        let directories = own.ancestors().take_while(|directory| directory.starts_with(&root));
        groups.extend(directories.map(|directory| Group { version, directory: directory.to_owned() }));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_walked_up_to_their_root() {
        let membership = "5:cpu,cpuacct:/a/b\n4:memory:/m\n1:name=systemd:/\n0::/v2\nnonsense\n";
        let found = groups_in(Path::new("/cg"), membership, "cpu");
        let group = |version, directory: &str| Group { version, directory: directory.into() };
        assert_eq!(
            found,
            [
                group(Version::V1, "/cg/cpu/a/b"),
                group(Version::V1, "/cg/cpu/a"),
                group(Version::V1, "/cg/cpu"),
                group(Version::V2, "/cg/v2"),
                group(Version::V2, "/cg"),
            ]
        );
    }
}
