//! Copies between private memory and memory that somebody else may be writing at this moment.
//!
//! The machine has no trouble with that: some bytes are old and some new. The compiler must not know that they are
//! ordinary copies, though, since a race on ordinary accesses is undefined. So the copy is the C library's, called by
//! an assembler statement. Its effect is that of a loop that copies byte by byte, with relaxed atomic accesses on the
//! shared side, in some order: that is what the compiler is told, and all that is relied upon. (An atomic `memcpy` is
//! what Rust does not have yet: RFC 3301.)
#![allow(unsafe_code)]

/// Copies bytes; either side may be shared with another process or thread that writes it.
///
/// # Safety
/// - `from` is readable and `to` writable for `len` bytes, for the duration of the call;
/// - the two do not overlap;
/// - whichever side is not shared is accessed by nobody else.
#[inline]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        unsafe extern "C" {
            fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8;
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY:
        // - the called function: reads and writes what the caller vouches for, and nothing else;
        // - its convention: arguments in these registers; what it may change is declared (`clobber_abi`); the stack is
        //   aligned for a call, since the statement does not say `nostack`.
        unsafe {
            std::arch::asm!(
                "call {memcpy}",
                memcpy = sym memcpy,
                inout("rdi") to => _,
                inout("rsi") from => _,
                inout("rdx") len => _,
                clobber_abi("C"),
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!(
                "bl {memcpy}",
                memcpy = sym memcpy,
                inout("x0") to => _,
                inout("x1") from => _,
                inout("x2") len => _,
                clobber_abi("C"),
            );
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    for index in 0..len {
        // SAFETY: within `len` bytes, for which the caller vouches. Volatile, since that is never undefined on memory
        // that others write without the compiler's knowledge.
        let byte = unsafe { from.wrapping_add(index).read_volatile() };
        // SAFETY: as above.
        unsafe { to.wrapping_add(index).write_volatile(byte) };
    }
}

/// What is read at once without a detour through memory: a cache line.
pub(crate) const LINE: usize = 64;

/// Reads a line into registers.
///
/// # Safety
/// `from` is readable for a [`LINE`] and aligned to 16 bytes.
#[inline]
pub(super) unsafe fn line(from: *const u8) -> [u8; LINE] {
    #[cfg(target_arch = "x86_64")]
    type Part = std::arch::x86_64::__m128i;
    #[cfg(not(target_arch = "x86_64"))]
    type Part = [u64; 2];
    const PARTS: usize = LINE / size_of::<Part>();
    let parts: [Part; PARTS] = std::array::from_fn(|index| {
        // SAFETY: within the line and aligned, for which the caller vouches. Volatile, as above.
        unsafe { from.cast::<Part>().wrapping_add(index).read_volatile() }
    });
    // SAFETY: the sizes are the same, and any bytes are a `[u8; LINE]`.
    unsafe { std::mem::transmute::<[Part; PARTS], [u8; LINE]>(parts) }
}
