//! System calls that no library offers, since they are not for well-behaved processes.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;

/// What is to be read by others.
static SECRET: [u8; 16] = *b"the crown jewels";

/// Where the secret of this process lies, if it was started without a sandbox.
pub(super) fn secret() -> usize {
    SECRET.as_ptr().addr()
}

/// A system call with these numbers, and the number that it answers.
pub(super) fn call(number: i64, arguments: [usize; 6]) -> io::Result<usize> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: none is claimed for what the numbers may be. The tests choose them such that no memory of this process is written
    // but what they name, and this process does nothing else.
    let answer = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// Reads the memory of another process by `process_vm_readv`.
pub(super) fn read_memory(process: usize, address: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0_u8; SECRET.len()];
    let ours = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let theirs = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: bytes.len() };
    let [ours, theirs] = [&raw const ours, &raw const theirs].map(<*const libc::iovec>::addr);
    call(libc::SYS_process_vm_readv, [process, ours, 1, theirs, 1, 0])?;
    Ok(bytes)
}

/// Attaches to another process by `ptrace`, and lets go of it.
pub(super) fn trace(process: usize) -> io::Result<usize> {
    let request = |request: u32| usize::try_from(request).unwrap_or_default();
    let attached = call(libc::SYS_ptrace, [request(libc::PTRACE_SEIZE), process, 0, 0, 0, 0])?;
    // Detaching needs a stopped process.
    let _ = call(libc::SYS_ptrace, [request(libc::PTRACE_INTERRUPT), process, 0, 0, 0, 0]);
    let status = std::ptr::null::<u8>().addr();
    let any = usize::try_from(libc::__WALL).unwrap_or_default();
    let _ = call(libc::SYS_wait4, [process, status, any, 0, 0, 0]);
    let _ = call(libc::SYS_ptrace, [request(libc::PTRACE_DETACH), process, 0, 0, 0, 0]);
    Ok(attached)
}

/// Makes another process, which ends at once.
pub(super) fn fork(flags: usize) -> io::Result<usize> {
    let signal = usize::try_from(libc::SIGCHLD).unwrap_or_default();
    let child = call(libc::SYS_clone, [flags | signal, 0, 0, 0, 0, 0])?;
    if child == 0 {
        // SAFETY: ends the copy at once.
        unsafe { libc::_exit(0) }
    }
    call(libc::SYS_wait4, [child, 0, 0, 0, 0, 0])
}

/// Runs another program. Comes back only if that failed.
pub(super) fn execute(path: &std::ffi::CStr) -> io::Error {
    let arguments = [path.as_ptr(), std::ptr::null()];
    let list = arguments.as_ptr().addr();
    match call(libc::SYS_execve, [path.as_ptr().addr(), list, list + size_of::<usize>(), 0, 0, 0]) {
        Err(error) => error,
        Ok(_) => io::Error::other("it came back"),
    }
}

/// As [`execute`], of a program that is open already.
pub(super) fn execute_open(file: &std::fs::File) -> io::Error {
    let arguments = [c"program".as_ptr(), std::ptr::null()];
    let list = arguments.as_ptr().addr();
    let number = usize::try_from(file.as_raw_fd()).unwrap_or_default();
    let (none, flags) = (list + size_of::<usize>(), usize::try_from(libc::AT_EMPTY_PATH).unwrap_or_default());
    match call(libc::SYS_execveat, [number, c"".as_ptr().addr(), list, none, flags, 0]) {
        Err(error) => error,
        Ok(_) => io::Error::other("it came back"),
    }
}

/// Maps so many bytes of private memory, without touching them.
pub(super) fn map(length: usize) -> io::Result<usize> {
    let protection = usize::try_from(libc::PROT_READ | libc::PROT_WRITE).unwrap_or_default();
    let flags =
        usize::try_from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE).unwrap_or_default();
    let address = call(libc::SYS_mmap, [0, length, protection, flags, usize::MAX, 0])?;
    call(libc::SYS_munmap, [address, length, 0, 0, 0, 0])
}
