//! Entries of the queues: written word by word, and read once.

use crate::control::{Control, MAX_CONTROL};
use crate::error::Violation;
use crate::geometry::words;
use crate::region::{AllegedRegion, Region};
use crate::sync::{AtomicU64, Ordering};
use zerocopy::IntoBytes;

/// The control fields as words.
type Words = [u64; MAX_CONTROL / 8];

/// The words of the entry at a place.
#[inline]
fn at<D: Control>(entries: &[AtomicU64], place: usize) -> &[AtomicU64] {
    const { assert!(size_of::<D>() <= MAX_CONTROL, "control fields have at most 56 bytes") };
    &entries[place * words::<D>()..][..words::<D>()]
}

/// Writes an entry. Its publication follows.
#[inline]
pub(crate) fn write<D: Control>(entries: &[AtomicU64], place: usize, region: Region, control: &D) {
    let entry = at::<D>(entries, place);
    // Relaxed, like those that follow: the count is published with release.
    entry[0].store(region.word(), Ordering::Relaxed);
    if size_of::<D>() != 0 {
        let mut words = Words::default();
        words.as_mut_bytes()[..size_of::<D>()].copy_from_slice(control.as_bytes());
        entry[1..].iter().zip(words).for_each(|(word, value)| word.store(value, Ordering::Relaxed));
    }
}

/// Reads an entry, each word of it once, into private memory.
#[inline]
pub(crate) fn read<D: Control>(entries: &[AtomicU64], place: usize) -> Result<(AllegedRegion, D), Violation> {
    let entry = at::<D>(entries, place);
    // Relaxed, like those that follow: the count was read with acquire.
    let region = AllegedRegion(entry[0].load(Ordering::Relaxed));
    let mut words = Words::default();
    if size_of::<D>() != 0 {
        entry[1..].iter().zip(&mut words).for_each(|(word, value)| *value = word.load(Ordering::Relaxed));
    }
    match D::try_read_from_bytes(&words.as_bytes()[..size_of::<D>()]) {
        Ok(control) => Ok((region, control)),
        Err(_) => Err(Violation::Control),
    }
}
