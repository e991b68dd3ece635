//! Waking who sleeps on a word.

use rustix::thread::futex::{self, Flags};
use std::sync::atomic::AtomicU32;

/// Wakes everybody who sleeps on `word`, in whatever process: so the private flag is not set (futex(2)). Never blocks.
pub(crate) fn wake(word: &AtomicU32) {
    // Refused only for a word that is not mapped or not aligned.
    let _ = futex::wake(word, Flags::empty(), i32::MAX.cast_unsigned());
}
