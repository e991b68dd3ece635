//! Calls that confine this very process, none of which allocates.
#![allow(unsafe_code)]

use super::clone::last;
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{self, Errno};
use seccompiler::sock_filter;
use std::mem::MaybeUninit;
use std::ptr;

/// Which version of Landlock the kernel has.
pub(crate) fn landlock_version() -> io::Result<i64> {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the kernel takes no attributes, reads no memory and makes no descriptor.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    if version < 0 { Err(last()) } else { Ok(version) }
}

/// From now on this thread may do only what the rules allow.
pub(crate) fn landlock(rules: impl AsFd) -> io::Result<()> {
    // SAFETY: takes two numbers, and gives this thread fewer rights.
    checked(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_fd().as_raw_fd(), 0_u32) })
}

/// From now on this thread makes only the system calls that the filter lets through, too.
pub(crate) fn seccomp(filter: &[sock_filter]) -> io::Result<()> {
    let length = filter.len().try_into().map_err(|_| Errno::TOOBIG)?;
    // Seccompiler's instructions have the layout of the kernel's: see its own `apply_filter`.
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut().cast() };
    // SAFETY: the program names as many instructions as the slice has, and lives for the call, which only reads them.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) })
}

/// As [`seccomp`], by a filter that asks; answers with the listener: who holds that is asked.
pub(crate) fn seccomp_that_asks(filter: &[sock_filter]) -> io::Result<OwnedFd> {
    let length = filter.len().try_into().map_err(|_| Errno::TOOBIG)?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut().cast() };
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // SAFETY: the program names as many instructions as the slice has, and lives for the call, which only reads them.
    let listener =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    checked(listener)?;
    let listener = listener.try_into().map_err(|_| Errno::BADF)?;
    // SAFETY: the kernel has just made this descriptor for us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(listener) })
}

/// Lets the next call through that a listener is asked about; blocks until there is one.
pub(crate) fn let_call_through(listener: impl AsFd) -> io::Result<()> {
    let listener = listener.as_fd().as_raw_fd();
    let mut asked = MaybeUninit::<libc::seccomp_notif>::zeroed();
    // SAFETY: the kernel writes one such structure through the pointer, which is exclusive and lives for the call; it wants zeros.
    checked(unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, asked.as_mut_ptr()) }.into())?;
    // SAFETY: numbers alone, for which zeros are values, and so is whatever the kernel wrote.
    let asked = unsafe { asked.assume_init() };
    let flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE.try_into().map_err(|_| Errno::INVAL)?;
    let mut answer = libc::seccomp_notif_resp { id: asked.id, val: 0, error: 0, flags };
    // SAFETY: the kernel reads one such structure through the pointer, which lives for the call.
    checked(unsafe { libc::ioctl(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) }.into())
}

/// Whether filters for system calls exist that answer with an error.
pub(crate) fn seccomp_answers() -> io::Result<()> {
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: reads the one number behind the pointer, which lives for the call.
    checked(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) })
}

/// Makes a mount, and all that is mounted in it, read-only, and blind to set-user-id bits and devices.
pub(crate) fn seal_mounts(mount: impl AsFd) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is an empty string with its null; the attributes live for the call, which reads as many bytes of them
    // as it is told.
    checked(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | libc::AT_RECURSIVE,
            &raw const attributes,
            size_of_val(&attributes),
        )
    })
}

/// Has the kernel close every descriptor from this number on when this process becomes another program.
pub(crate) fn close_at_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: takes three numbers, and closes nothing: descriptors are only marked.
    checked(unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    })
}

/// Makes this number name what the descriptor names, also for the program that comes next. What the number named before is
/// closed.
pub(crate) fn duplicate_to(descriptor: impl AsFd, number: RawFd) -> io::Result<()> {
    // SAFETY: takes two numbers. That nobody here owns the second is the caller's: a child that is about to become another program
    // uses only what its birth names, which has higher numbers.
    checked(unsafe { libc::dup2(descriptor.as_fd().as_raw_fd(), number) }.into())
}

/// Closes the descriptor of that number.
pub(crate) fn close(number: RawFd) -> io::Result<()> {
    // SAFETY: takes a number. That nobody here owns it is the caller's: a child that is about to become another program uses only what
    // its birth names.
    checked(unsafe { libc::close(number) }.into())
}

fn checked(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(last()) } else { Ok(()) }
}
