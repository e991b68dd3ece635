//! Becoming another program.
#![allow(unsafe_code)]

use super::clone::last;
use rustix::io::Errno;
use std::ffi::{CString, c_char};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

/// Strings in the form in which a program is given its arguments and its environment.
#[derive(Debug)]
pub(crate) struct Strings {
    /// To the strings below, and a null behind the last.
    pointers: Vec<*const c_char>,
    /// Kept alive, and never changed: the bytes stay where they are if this moves.
    _owned: Vec<CString>,
}

// SAFETY: the pointers lead to what this value owns and nobody changes, on whatever thread it is.
unsafe impl Send for Strings {}

impl Strings {
    pub(crate) fn new(strings: Vec<CString>) -> Strings {
        let pointers = strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect();
        Strings { pointers, _owned: strings }
    }
}

/// This process becomes the program in that file, or answers why not. Allocates nothing.
pub(crate) fn exec(file: impl AsFd, arguments: &Strings, environment: &Strings) -> Errno {
    // SAFETY:
    // - the path is an empty string with its null;
    // - both lists end with a null, and what they point to lives in `Strings` for the whole call;
    // - on success there is nothing of this process left to be unsound.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            file.as_fd().as_raw_fd(),
            c"".as_ptr(),
            arguments.pointers.as_ptr(),
            environment.pointers.as_ptr(),
            libc::AT_EMPTY_PATH,
        )
    };
    last()
}
