//! A copy of this process, in namespaces of its own.
#![allow(unsafe_code)]

use crate::sandbox::birth::Birth;
use crate::sandbox::child;
use crate::sandbox::sys::signals::Blocked;
use rustix::io::{self, Errno};
use rustix::process::Pid;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// A process that was just made, and is not reaped yet.
#[derive(Debug)]
pub(crate) struct Born {
    /// Its number as we see it. It names this process until it is reaped.
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
}

/// Copies this process into namespaces of its own. The copy has one thread, goes through its birth, and either becomes another
/// program or ends: it never comes back from here.
///
/// By `clone` and not `clone3`, which container runtimes refuse; without sharing memory, since a change of the user id would make
/// the memory of both undumpable.
pub(crate) fn clone(namespaces: libc::c_int, birth: &mut Birth) -> io::Result<Born> {
    let mut pidfd: RawFd = -1;
    let flags = namespaces | libc::CLONE_PIDFD | libc::SIGCHLD;
    // No handler of ours runs in the copy.
    let _blocked = Blocked::all();
    // SAFETY:
    // - the flags share nothing with the copy, so it cannot change what this process has; a null stack means a copy of ours;
    // - the kernel writes a descriptor's number through the third argument, which is a live, exclusive variable; the others
    //   are unused without their flags;
    // - the copy of a process with several threads may only do what is safe in a signal handler: `child::run` makes system
    //   calls, takes no lock and allocates nothing, and the copy ends behind it.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags),
            ptr::null::<u8>(),
            &raw mut pidfd,
            ptr::null::<u8>(),
            ptr::null::<u8>(),
        )
    };
    match pid {
        0 => {
            let status = child::run(birth);
            // SAFETY: ends this process at once; nothing of the parent's is flushed or run at exit.
            unsafe { libc::_exit(status) }
        }
        // The only numbers that a process can have.
        1.. => Ok(Born {
            pid: i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Errno::OVERFLOW)?,
            // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
        _ => Err(last()),
    }
}

/// Why the last call of the C library failed.
pub(super) fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
