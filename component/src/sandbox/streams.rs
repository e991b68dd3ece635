//! The empty file behind a component's standard streams.

use super::error::Error;
use rustix::fs::{MemfdFlags, OFlags, SealFlags};
use rustix::io::Errno;
use std::os::fd::{AsRawFd, OwnedFd};

/// A file without content that nobody can change, open for reading only. So what is written there fails with EBADF, which
/// Rust's standard library takes for a stream that is closed, and is silent about.
pub(crate) fn empty() -> Result<OwnedFd, Error> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Some systems insist that it is not executable, and older ones do not know the word.
    let file = match rustix::fs::memfd_create(c"empty", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => rustix::fs::memfd_create(c"empty", flags),
        other => other,
    };
    let file = file.map_err(Error::system("memfd_create"))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).map_err(Error::system("fcntl"))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, rustix::fs::Mode::empty())
        .map_err(Error::system("open"))
}
