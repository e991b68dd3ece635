//! The empty file behind a component's standard streams.

use super::error::Error;
use rustix::fs::{MemfdFlags, OFlags, SealFlags};
use std::os::fd::{AsRawFd, OwnedFd};

/// A file without content that nobody can change, open for reading only. So what is written there fails with EBADF, which
/// Rust's standard library takes for a stream that is closed, and is silent about.
pub(crate) fn empty() -> Result<OwnedFd, Error> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::NOEXEC_SEAL;
    let file = rustix::fs::memfd_create(c"empty", flags).map_err(Error::system("memfd_create"))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals).map_err(Error::system("fcntl"))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, rustix::fs::Mode::empty())
        .map_err(Error::system("open"))
}
