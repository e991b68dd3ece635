//! How much memory the process's memory group may still take.

use std::fs::read_to_string;
use std::path::Path;

/// What a kind of memory groups calls its numbers, and where it is mounted below `/sys/fs/cgroup`.
struct Kind {
    mount: &'static str,
    limit: &'static str,
    used: &'static str,
    /// In `memory.stat`: content of files, which the kernel gives up when it needs room.
    spare: [&'static str; 2],
}

/// Control groups of version 2 (`memory.max` is a number or `max`).
const UNIFIED: Kind = Kind {
    mount: ".",
    limit: "memory.max",
    used: "memory.current",
    spare: ["inactive_file ", "active_file "],
};

/// Of version 1.
const LEGACY: Kind = Kind {
    mount: "memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    spare: ["total_inactive_file ", "total_active_file "],
};

/// The bytes that the tightest of the groups around this process leaves; `None` if none has a limit that can be seen.
pub(super) fn headroom() -> Option<u64> {
    headroom_of(Path::new("/sys/fs/cgroup"), &read_to_string("/proc/self/cgroup").ok()?)
}

/// `groups` is a text like that of `/proc/self/cgroup` (cgroups(7)): `number:controllers:path`.
fn headroom_of(root: &Path, groups: &str) -> Option<u64> {
    let group = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let kind = match controllers {
            "" => UNIFIED,
            legacy if legacy.split(',').any(|name| name == "memory") => LEGACY,
            _ => return None,
        };
        // One outside of what this process can see of the tree begins with "/..": only the top counts then.
        let path = Path::new(path.trim_start_matches('/'));
        let within = if path.starts_with("..") { Path::new("") } else { path };
        let mount = root.join(kind.mount);
        // The group itself, the one around it, and so on to the top.
        within.ancestors().filter_map(|path| room(&mount.join(path), &kind)).min()
    };
    groups.lines().filter_map(group).min()
}

/// What one group leaves.
fn room(group: &Path, kind: &Kind) -> Option<u64> {
    let number = |file: &str| read_to_string(group.join(file)).ok()?.trim().parse::<u64>().ok();
    let (limit, used) = (number(kind.limit)?, number(kind.used)?);
    let stat = read_to_string(group.join("memory.stat")).unwrap_or_default();
    let spare = stat.lines().filter_map(|line| kind.spare.iter().find_map(|name| line.strip_prefix(name)));
    let spare: u64 = spare.filter_map(|bytes| bytes.parse::<u64>().ok()).fold(0, u64::saturating_add);
    Some(limit.saturating_sub(used.saturating_sub(spare)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(group: &Path, files: &[(&str, &str)]) {
        std::fs::create_dir_all(group).expect("a directory of ours");
        for (file, content) in files {
            std::fs::write(group.join(file), content).expect("a directory of ours");
        }
    }

    #[test]
    fn the_tightest_group_counts_and_what_files_take_in_it_does_not() {
        let root = tempfile::tempdir().expect("there is a file system");
        let root = root.path();
        write(&root.join("a"), &[("memory.max", "1000\n"), ("memory.current", "700\n")]);
        write(&root.join("a"), &[("memory.stat", "anon 300\nactive_file 100\ninactive_file 250\n")]);
        write(&root.join("a/b"), &[("memory.max", "max\n"), ("memory.current", "500\n")]);
        write(&root.join("a/c"), &[("memory.max", "200\n"), ("memory.current", "900\n")]);
        assert_eq!(headroom_of(root, "0::/a/b\n"), Some(650), "no limit of its own, and one around it");
        assert_eq!(headroom_of(root, "0::/a/c\n"), Some(0));
        assert_eq!(headroom_of(root, "0::/d\n3:cpu:/a\n"), None, "nobody limits its memory");
        assert_eq!(headroom_of(root, "0::/../a\n"), None);
        write(&root.join("memory"), &[("memory.limit_in_bytes", "99"), ("memory.usage_in_bytes", "9")]);
        write(&root.join("memory"), &[("memory.stat", "active_file 1\ntotal_active_file 2\n")]);
        assert_eq!(headroom_of(root, "4:cpu,memory:/e\n0::/a\n"), Some(92));
    }
}
