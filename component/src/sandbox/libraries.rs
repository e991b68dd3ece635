//! Which libraries a program is shown.
//!
//! Only what lies in the system's own directories for libraries, and is one: where a program says that its libraries are elsewhere
//! (`RUNPATH`), nobody listens, since it could name any file of ours.

use super::elf::Needs;
use super::error::Error;
use super::open;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where loaders look by themselves, in their order.
const DIRECTORIES: &[&str] = &[
    #[cfg(target_arch = "x86_64")]
    "/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "x86_64")]
    "/usr/lib/x86_64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/lib/aarch64-linux-gnu",
    #[cfg(target_arch = "aarch64")]
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];
/// More than any program of ours has.
const MOST: usize = 256;

/// The loader and the libraries of a program, open, each at the path where it will be looked for.
///
/// # Errors
/// [`Error::NotAProgram`], [`Error::NoLibrary`], [`Error::File`].
pub(crate) fn of(path: &Path, program: &File) -> Result<Vec<(PathBuf, File)>, Error> {
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |reason| Error::File { path, reason }
    };
    let needs = Needs::of(program).map_err(unread(path))?.ok_or_else(|| Error::NotAProgram(path.into()))?;
    let missing = |name: OsString| Error::NoLibrary { name, program: path.into() };
    let mut found = Vec::new();
    let mut queue = needs.libraries;
    if let Some(loader) = needs.loader {
        let loader = PathBuf::from(loader);
        let within =
            loader.parent().is_some_and(|parent| DIRECTORIES.iter().any(|known| parent == Path::new(known)));
        let file = if within { open::file(&loader).map_err(unread(&loader))? } else { None };
        let file = file.ok_or_else(|| missing(loader.clone().into()))?;
        found.push((loader, file));
    }
    let mut known: BTreeSet<OsString> = BTreeSet::new();
    while let Some(name) = queue.pop() {
        if known.contains(&name) {
            continue;
        }
        let (path, file, needs) = find(&name)?.ok_or_else(|| missing(name.clone()))?;
        if known.len() == MOST {
            return Err(missing(name));
        }
        known.insert(name);
        queue.extend(needs.libraries);
        // A loader is a library, too.
        if !found.iter().any(|(there, _)| *there == path) {
            found.push((path, file));
        }
    }
    Ok(found)
}

/// The first library of this name that is one of this machine's kind.
fn find(name: &OsStr) -> Result<Option<(PathBuf, File, Needs)>, Error> {
    let mut components = Path::new(name).components();
    let plain = matches!(components.next(), Some(std::path::Component::Normal(only)) if only == name);
    if !plain {
        return Ok(None);
    }
    for directory in DIRECTORIES {
        let path = Path::new(directory).join(name);
        let file = match open::file(&path) {
            Ok(Some(file)) => file,
            Ok(None) => continue,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                continue;
            }
            Err(reason) => return Err(Error::File { path, reason }),
        };
        // What is no library, such as a script for the linker, is passed over.
        if let Ok(Some(needs)) = Needs::of(&file) {
            return Ok(Some((path, file, needs)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_of_this_program_are_found_with_its_loader() {
        let path = Path::new("/proc/self/exe");
        let found = of(path, &File::open(path).unwrap()).unwrap();
        let named = |part: &str| found.iter().any(|(path, _)| path.to_string_lossy().contains(part));
        assert!(named("/ld-") && named("/libc."), "{found:?}");
    }

    #[test]
    fn a_name_with_a_path_names_no_library() {
        for name in ["../lib/libc.so.6", "/lib64/libc.so.6", "x86_64-linux-gnu/libc.so.6", "..", ".", ""] {
            assert!(find(OsStr::new(name)).unwrap().is_none(), "{name}");
        }
    }
}
