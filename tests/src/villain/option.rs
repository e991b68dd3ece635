//! A socket option that no safe interface knows.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Has the kernel put a new descriptor, one for the sender's process, beside each message that is received from now
/// on (`SO_PASSPIDFD`), for everybody who shares the socket.
///
/// # Errors
/// What the system says.
pub fn pass_pidfds(socket: &OwnedFd) -> io::Result<()> {
    const SO_PASSPIDFD: libc::c_int = 76;
    let on: libc::c_int = 1;
    let length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open, and the option's value is a live integer of the length that is given.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_PASSPIDFD, (&raw const on).cast(), length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
