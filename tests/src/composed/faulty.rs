//! A component that does what no address allows.
#![allow(unsafe_code, reason = "it is to die of it")]

/// Writes where nothing is mapped: the kernel ends the process with SIGSEGV, whoever it is.
pub(super) fn fault() -> ! {
    // Below the lowest address that the kernel lets anybody map.
    let nowhere = std::ptr::without_provenance_mut::<u64>(8);
    // SAFETY: none is claimed. The page is never mapped, so nothing is written; the process ends here.
    unsafe { nowhere.write_volatile(0) };
    std::process::abort()
}
