//! Signals, around the birth of a process.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;

/// All signals are held back from this thread until this is dropped.
#[derive(Debug)]
pub(super) struct Blocked(libc::sigset_t);

impl Blocked {
    pub(super) fn all() -> Blocked {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: writes a whole set through the pointer, which is to memory of that size.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: reads the set that was just written, and writes a whole set through the other pointer; with a valid
        // `how` it cannot fail.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: written by the call above.
        Blocked(unsafe { before.assume_init() })
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: reads a set that the kernel gave us; writes nothing.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}

/// Every signal does what it does by default, ignored ones too.
pub(crate) fn reset_handlers() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default is no function of ours. Signals that cannot be handled are refused, and have it already.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// No signal is held back from this thread.
pub(crate) fn unblock() {
    let mut none = MaybeUninit::uninit();
    // SAFETY: writes a whole set through the pointer, which is to memory of that size.
    unsafe { libc::sigemptyset(none.as_mut_ptr()) };
    // SAFETY: reads the set that was just written, and writes nothing.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut()) };
}
