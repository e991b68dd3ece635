//! Sleeping on the low half of a shared 64-bit word.
#![allow(unsafe_code)]

use rustix::fs::Timespec;
use rustix::thread::futex::{self, Flags};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// The half of `word` that changes with every message and that the kernel compares.
fn low_half(word: &AtomicU64) -> &AtomicU32 {
    const { assert!(cfg!(target_endian = "little"), "the wire format and the futex word are little endian") };
    // SAFETY:
    // - valid and aligned: the low half of a live, 8-byte aligned word on a little-endian machine starts where it does;
    // - no mixed-size race: the reference goes to the kernel as an address only, nothing in Rust reads or writes by it;
    // - lifetime: bound to that of `word` by the signature.
    unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
}

/// Sleeps while the low half of `word` is `expected`, for at most `time`. Returns for any reason at all: look again.
///
/// The word may lie in memory shared between processes, so the private flag is not set (futex(2)).
pub(crate) fn wait(word: &AtomicU64, expected: u32, time: Option<Duration>) {
    let time = time.map(|time| Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    // Every failure (changed word, signal, timeout, peer-made nonsense) means the same to the caller: look again.
    let _ = futex::wait(low_half(word), Flags::empty(), expected, time.as_ref());
}

/// Wakes everybody who sleeps on `word`. Never blocks.
pub(crate) fn wake(word: &AtomicU64) {
    let _ = futex::wake(low_half(word), Flags::empty(), i32::MAX as u32);
}
