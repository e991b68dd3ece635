//! Cache lines that are about to be written.
#![allow(unsafe_code)]

use crate::wire::layout::LINE;
use std::sync::atomic::AtomicU64;

/// Has the processor take the lines of these words away from the other side's, while the program goes on: that takes as
/// long as a message between two cores, and a store waits for it. A hint, which some processors do not take.
///
/// To load from such a line first would be worse: who reads what another core has written may take it away from there.
#[inline]
pub(crate) fn fetch_to_write(words: &[AtomicU64]) {
    for line in words.chunks(LINE) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the instruction changes nothing that a program can see, and never faults, whatever the address; where it is
        // not known, it does nothing (AMD64 Architecture Programmer's Manual, volume 3, "PREFETCH").
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) line.as_ptr(), options(readonly, nostack, preserves_flags));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}
