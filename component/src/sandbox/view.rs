//! The files that a component sees: its libraries, and what its sandbox names, each at its own path; nothing else.
//!
//! The root is a small file system in memory that is made for this one component. It holds empty files and directories, and on
//! each the original is mounted. All of it is read-only. There is no `/proc`, `/sys` or `/dev`, and not even the program itself:
//! that runs from its descriptor.

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{self, Errno};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// What is made in the child; the strings are ready before.
#[derive(Debug)]
pub(crate) struct View {
    /// Directories within the root that lead to what is shown, outer ones first.
    directories: Vec<CString>,
    shown: Vec<Shown>,
    /// Filled in the child, for which there is room.
    sources: Vec<OwnedFd>,
    root: Option<OwnedFd>,
}

#[derive(Debug)]
struct Shown {
    /// Outside.
    source: CString,
    /// From the root, without the slash at the beginning.
    place: CString,
    directory: bool,
}

impl View {
    /// A view of these files, and directories with all that is in them. `None` if one of the paths is not absolute or goes
    /// upwards.
    pub(crate) fn of<'a>(paths: impl IntoIterator<Item = (&'a Path, bool)>) -> Option<View> {
        let mut shown: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for (path, directory) in paths {
            shown.insert(place(path)?, directory);
        }
        // What lies within a directory that is shown is there already.
        let inner = |path: &Path| path.ancestors().skip(1).any(|above| shown.get(above) == Some(&true));
        let shown: Vec<(&PathBuf, bool)> = shown
            .iter()
            .filter(|(path, _)| !inner(path))
            .map(|(path, directory)| (path, *directory))
            .collect();
        let directories: BTreeSet<&Path> = shown
            .iter()
            .flat_map(|(path, directory)| path.ancestors().skip(usize::from(!directory)))
            .filter(|above| !above.as_os_str().is_empty())
            .collect();
        let directories = directories.into_iter().map(string).collect::<Option<_>>()?;
        let shown = shown
            .into_iter()
            .map(|(path, directory)| {
                Some(Shown { source: string(&Path::new("/").join(path))?, place: string(path)?, directory })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(View { directories, sources: Vec::with_capacity(shown.len()), shown, root: None })
    }

    /// In the child: takes hold of what is to be shown.
    pub(crate) fn take_sources(&mut self) -> io::Result<()> {
        for shown in &self.shown {
            if self.sources.len() == self.sources.capacity() {
                return Err(Errno::NOMEM);
            }
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            self.sources.push(rustix::mount::open_tree(CWD, shown.source.as_c_str(), flags)?);
        }
        Ok(())
    }

    /// In the child: makes the root, and mounts there what is to be shown.
    pub(crate) fn mount(&mut self) -> io::Result<()> {
        let memory = rustix::mount::fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_set_string(&memory, c"mode", c"755")?;
        rustix::mount::fsconfig_create(&memory)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        let root = rustix::mount::fsmount(&memory, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        // On top of everything: any place would do, and there is no other that is there for certain.
        let whole = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        rustix::mount::move_mount(&root, c"", CWD, c"/", whole)?;
        for directory in &self.directories {
            rustix::fs::mkdirat(&root, directory.as_c_str(), Mode::from_raw_mode(0o755))?;
        }
        for (shown, source) in self.shown.iter().zip(&self.sources) {
            if !shown.directory {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                rustix::fs::openat(&root, shown.place.as_c_str(), flags, Mode::from_raw_mode(0o444))?;
            }
            rustix::mount::move_mount(source, c"", &root, shown.place.as_c_str(), whole)?;
        }
        super::sys::kernel::seal_mounts(&root)?;
        self.root = Some(root);
        Ok(())
    }

    /// In the child: this is all that it sees from now on.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        let root = self.root.as_ref().ok_or(Errno::BADF)?;
        rustix::process::fchdir(root)?;
        // The old root comes to lie on top of the new one, whence it is taken away.
        rustix::process::pivot_root(c".", c".")?;
        rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
        rustix::process::chdir(c"/")
    }
}

/// The path from the root.
fn place(path: &Path) -> Option<PathBuf> {
    let mut components = path.components();
    if components.next() != Some(Component::RootDir) {
        return None;
    }
    let place: PathBuf = components
        .map(|component| match component {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect::<Option<_>>()?;
    (!place.as_os_str().is_empty()).then_some(place)
}

fn string(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(paths: &[(&str, bool)]) -> Option<View> {
        View::of(paths.iter().map(|(path, directory)| (Path::new(*path), *directory)))
    }

    #[test]
    fn directories_come_before_what_is_in_them() {
        let view = view(&[("/lib/a/x.so", false), ("/lib/y.so", false), ("/usr/share/z", true)]).unwrap();
        let directories: Vec<_> = view.directories.iter().map(|name| name.to_str().unwrap()).collect();
        assert_eq!(directories, ["lib", "lib/a", "usr", "usr/share", "usr/share/z"]);
        let shown: Vec<_> = view.shown.iter().map(|shown| shown.place.to_str().unwrap()).collect();
        assert_eq!(shown, ["lib/a/x.so", "lib/y.so", "usr/share/z"]);
    }

    #[test]
    fn what_a_shown_directory_holds_is_shown_once() {
        let view = view(&[("/usr/share", true), ("/usr/share/z", false), ("/usr/share", true)]).unwrap();
        assert_eq!(view.shown.len(), 1);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in ["lib", "/lib/../etc", "/", "", "../x"] {
            assert!(view(&[(path, false)]).is_none(), "{path}");
        }
    }
}
