//! Opening what somebody else has named.
//!
//! To open a pipe with a name can mean to wait for whoever opens its other end, and to open a device can make that do something. So what is
//! behind a path is looked at first, by a descriptor that opens nothing, and opened by that: it is the same then, whatever the path
//! leads to meanwhile.

use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// What may be read.
#[derive(Debug)]
pub(crate) enum Opened {
    File(File),
    Directory(File),
}

/// Opens a file or a directory to read it. `None` if it is neither. Waits for nobody but the file system.
pub(crate) fn open(path: &Path) -> io::Result<Option<Opened>> {
    let found = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode);
    let opened: fn(File) -> Opened = match kind {
        FileType::RegularFile => Opened::File,
        FileType::Directory => Opened::Directory,
        _ => return Ok(None),
    };
    // Nor for whoever has been promised to be told before somebody opens the file.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let same = format!("/proc/self/fd/{}", found.as_raw_fd());
    Ok(Some(opened(rustix::fs::open(same, flags, Mode::empty())?.into())))
}

/// Opens a file to read it. `None` if it is none. Waits for nobody but the file system.
pub(crate) fn file(path: &Path) -> io::Result<Option<File>> {
    Ok(match open(path)? {
        Some(Opened::File(file)) => Some(file),
        _ => None,
    })
}
