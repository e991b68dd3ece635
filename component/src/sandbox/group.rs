//! A memory group of the kernel for one component: a limit on all the memory that it uses, of any kind.
//!
//! There is one where the system lets this process make groups below its own, or beside it. In the unified hierarchy that is
//! delegation: `Delegate=memory` with `DelegateSubgroup=` of systemd, since a group that has processes of its own can't have groups with
//! limits below it. In the old hierarchy for memory it takes root.

use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a group may use beside what it uses when it is limited to that, in bytes.
const ROOM: u64 = 4 << 20;

/// Removed when it is dropped, which has an effect only if there is no process in it any more.
#[derive(Debug)]
pub(crate) struct Group {
    directory: PathBuf,
    hierarchy: Hierarchy,
}

/// A place where groups can be made.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    directory: PathBuf,
    hierarchy: Hierarchy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hierarchy {
    Unified,
    Memory,
}

impl Group {
    /// A group whose processes use so many bytes at most; beyond, the kernel kills them.
    ///
    /// # Errors
    /// Why there is none, as a text.
    pub(crate) fn new(limit: u64) -> Result<Group, String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mut reason = "no hierarchy of groups with a memory controller is mounted".to_owned();
        for Place { directory, hierarchy } in places() {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let group = directory.join(format!("portcullis-{}-{number}{}", std::process::id(), suffix()));
            sweep(&directory);
            // Dropped, it is removed again.
            let made = prepare(&directory, hierarchy)
                .and_then(|()| fs::create_dir(&group))
                .map(|()| Group { directory: group, hierarchy })
                .and_then(|group| group.limit(limit).map(|()| group));
            match made {
                Ok(group) => return Ok(group),
                Err(error) => reason = format!("'{}': {error}", directory.display()),
            }
        }
        Err(reason)
    }

    /// Sets another limit: greater, or smaller as far as what is used allows. Answers which it is then.
    pub(crate) fn set(&self, limit: u64) -> io::Result<u64> {
        let (used, now) = match self.hierarchy {
            Hierarchy::Unified => ("memory.current", "memory.max"),
            Hierarchy::Memory => ("memory.usage_in_bytes", "memory.limit_in_bytes"),
        };
        // Below what is used the kernel kills, or refuses.
        let least = self.number(used)?.saturating_add(ROOM).min(self.number(now)?);
        let limit = limit.max(least);
        // The old hierarchy wants memory never to have more than memory and swap together.
        self.limit(limit).or_else(|_| {
            let together = self.directory.join("memory.memsw.limit_in_bytes");
            fs::write(together, limit.to_string()).or_else(absent)?;
            self.limit(limit)
        })?;
        Ok(limit)
    }

    /// What a file says in bytes; that there is no limit is more than any.
    fn number(&self, file: &str) -> io::Result<u64> {
        Ok(fs::read_to_string(self.directory.join(file))?.trim().parse().unwrap_or(u64::MAX))
    }

    fn limit(&self, limit: u64) -> io::Result<()> {
        let set = |file: &str, value: &str| fs::write(self.directory.join(file), value);
        // Where there is no swap there are no files for it.
        match self.hierarchy {
            Hierarchy::Unified => {
                set("memory.max", &limit.to_string())?;
                set("memory.swap.max", "0").or_else(absent)?;
                set("memory.oom.group", "1").or_else(absent)
            }
            Hierarchy::Memory => {
                set("memory.limit_in_bytes", &limit.to_string())?;
                set("memory.memsw.limit_in_bytes", &limit.to_string()).or_else(absent)
            }
        }
    }

    /// Moves a process into the group. What it has used before is not counted.
    pub(crate) fn take_in(&self, process: Pid) -> io::Result<()> {
        fs::write(self.directory.join("cgroup.procs"), process.as_raw_nonzero().to_string())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // With a process in it, it stays, and says to whom it belonged.
        let _ = fs::remove_dir(&self.directory);
    }
}

/// How the names of groups end that were made by processes whose numbers mean something here.
fn suffix() -> String {
    let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |namespace| namespace.ino());
    format!("-{namespace}")
}

/// Removes the groups whose makers were killed, and could not. One with a process in it stays.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let suffix = suffix();
    for group in entries.flatten() {
        let name = group.file_name();
        if maker(&name.to_string_lossy(), &suffix).is_some_and(is_gone) {
            let _ = fs::remove_dir(group.path());
        }
    }
}

/// The process that made a group of that name.
fn maker(name: &str, suffix: &str) -> Option<Pid> {
    let (maker, _) = name.strip_suffix(suffix)?.strip_prefix("portcullis-")?.split_once('-')?;
    maker.parse().ok().and_then(Pid::from_raw)
}

fn is_gone(process: Pid) -> bool {
    rustix::process::test_kill_process(process) == Err(Errno::SRCH)
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Sees to it that groups below have a limit for memory.
fn prepare(directory: &Path, hierarchy: Hierarchy) -> io::Result<()> {
    if hierarchy == Hierarchy::Memory {
        return Ok(());
    }
    let control = directory.join("cgroup.subtree_control");
    if fs::read_to_string(&control)?.split_whitespace().any(|controller| controller == "memory") {
        return Ok(());
    }
    fs::write(control, "+memory")
}

/// Where groups may be made: below our own group, and beside it.
fn places() -> Vec<Place> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let places = places_of(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    places.into_iter().filter(has_controller).collect()
}

fn has_controller(place: &Place) -> bool {
    match place.hierarchy {
        Hierarchy::Memory => place.directory.is_dir(),
        Hierarchy::Unified => fs::read_to_string(place.directory.join("cgroup.controllers"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|controller| controller == "memory")),
    }
}

fn places_of(groups: &str, mounts: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let hierarchy = match controllers {
            "" => Hierarchy::Unified,
            _ if controllers.split(',').any(|controller| controller == "memory") => Hierarchy::Memory,
            _ => continue,
        };
        for (root, mount) in mounts.lines().filter_map(|line| mounted(line, hierarchy)) {
            let Ok(below) = Path::new(path).strip_prefix(root) else { continue };
            let own = Path::new(mount).join(below);
            let beside = own.parent().filter(|_| below != Path::new("")).map(Path::to_owned);
            let directories = std::iter::once(own).chain(beside);
            places.extend(directories.map(|directory| Place { directory, hierarchy }));
        }
    }
    places
}

/// The root within the hierarchy, and where it is mounted, if the line is about such a mount.
fn mounted(line: &str, hierarchy: Hierarchy) -> Option<(&str, &str)> {
    let (mount, kind) = line.split_once(" - ")?;
    let mut kind = kind.split_whitespace();
    let (kind, options) = (kind.next()?, kind.nth(1)?);
    let matching = match hierarchy {
        Hierarchy::Unified => kind == "cgroup2",
        Hierarchy::Memory => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
    };
    let mut fields = mount.split_whitespace().skip(3);
    let (root, place) = (fields.next()?, fields.next()?);
    // Escaped characters are not worth the trouble here.
    (matching && !OsStr::new(place).as_encoded_bytes().contains(&b'\\')).then_some((root, place))
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
