//! What must hold for any bytes that a program's file can have: driven by a fuzz target, and by the tests of the reader.

use super::elf::{LONGEST_NAME, MOST_NEEDED, Needs};
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

/// Reads them as a program: what it needs is bounded, and names are names.
///
/// # Panics
/// If that does not hold, or there is no memory for a file.
pub fn program(bytes: &[u8]) {
    let needs = needs(bytes).unwrap_or_default();
    assert!(needs.libraries.len() <= MOST_NEEDED, "so many are more than any program has");
    for name in needs.libraries.iter().chain(&needs.loader) {
        assert!(name.len() < LONGEST_NAME + 256, "a name is no longer than that");
        assert!(!name.as_bytes().contains(&0), "a name ends with its null");
    }
}

pub(crate) fn needs(bytes: &[u8]) -> Option<Needs> {
    let file =
        rustix::fs::memfd_create(c"program", rustix::fs::MemfdFlags::CLOEXEC).expect("there is memory");
    let mut file = File::from(file);
    file.write_all(bytes).expect("there is memory");
    Needs::of(&file).expect("a file in memory can be read")
}

#[cfg(test)]
mod tests {
    /// As in the tests of the reader, and here for what is said of what it accepts.
    #[test]
    fn a_program_that_lies_says_no_more_than_programs_say() {
        let honest = std::fs::read("/proc/self/exe").expect("/proc is mounted");
        let mut lying = honest.get(..4096).unwrap_or(&honest).to_vec();
        for at in 0..lying.len().min(64 + 16 * 56) {
            let before = std::mem::replace(&mut lying[at], 0x41);
            super::program(&lying);
            lying[at] = before;
        }
    }
}
