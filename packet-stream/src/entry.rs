//! Entries of the queues: written word by word, and read once.

use crate::control::{Control, MAX_CONTROL};
use crate::error::{Error, Violation};
use crate::geometry::words;
use crate::region::{AllegedRegion, Region};
use crate::sync::Ordering;
use portcullis_shm::Attachment;
use zerocopy::IntoBytes;

/// The control fields as words.
type Words = [u64; MAX_CONTROL / 8];

/// Where an entry lies in the dataspace.
#[inline]
fn at<D: Control>(entries: usize, place: usize) -> usize {
    const { assert!(size_of::<D>() <= MAX_CONTROL, "control fields have at most 56 bytes") };
    entries + place * 8 * words::<D>()
}

/// Writes an entry. Its publication follows.
#[inline]
pub(crate) fn write<D: Control>(
    memory: &Attachment,
    entries: usize,
    place: usize,
    region: Region,
    control: &D,
) -> Result<(), Error> {
    let at = at::<D>(entries, place);
    // Relaxed, like those that follow: the count is published with release.
    memory.atomic_u64(at)?.store(region.word(), Ordering::Relaxed);
    if size_of::<D>() != 0 {
        let mut words = Words::default();
        words.as_mut_bytes()[..size_of::<D>()].copy_from_slice(control.as_bytes());
        for (index, word) in words.iter().enumerate().take(self::words::<D>() - 1) {
            memory.atomic_u64(at + 8 + 8 * index)?.store(*word, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Reads an entry, each word of it once, into private memory.
#[inline]
pub(crate) fn read<D: Control>(
    memory: &Attachment,
    entries: usize,
    place: usize,
) -> Result<(AllegedRegion, D), Error> {
    let at = at::<D>(entries, place);
    // Relaxed, like those that follow: the count was read with acquire.
    let region = AllegedRegion(memory.atomic_u64(at)?.load(Ordering::Relaxed));
    let mut words = Words::default();
    if size_of::<D>() != 0 {
        for (index, word) in words.iter_mut().enumerate().take(self::words::<D>() - 1) {
            *word = memory.atomic_u64(at + 8 + 8 * index)?.load(Ordering::Relaxed);
        }
    }
    let control = D::try_read_from_bytes(&words.as_bytes()[..size_of::<D>()]);
    Ok((region, control.map_err(|_| Violation::Control)?))
}
