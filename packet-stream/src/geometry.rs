//! How long the queues are and how large the buffer, and where all of that lies in the dataspace.

use crate::control::Control;
use crate::error::Error;

/// The measures of a packet stream. Both sides must be given the same.
///
/// ```
/// use portcullis_packet_stream::Geometry;
///
/// let geometry = Geometry::new(64, 64, 1 << 20)?;
/// assert_eq!(geometry.buffer(), 1 << 20);
/// // What the dataspace must have: the buffer, the queues and some lines of counts.
/// assert!((1 << 20..(1 << 20) + 8192).contains(&geometry.bytes::<()>()));
/// assert!(Geometry::new(63, 64, 1 << 20).is_err(), "lengths of queues are powers of two");
/// # Ok::<(), portcullis_packet_stream::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub(crate) submit: u32,
    pub(crate) acknowledge: u32,
    pub(crate) granule: u32,
    pub(crate) buffer: u32,
}

/// Two cache lines: processors fetch them in pairs.
const LINE: usize = 128;
const LONGEST_QUEUE: u32 = 1 << 16;
const LARGEST_GRANULE: u32 = 1 << 20;
/// Offsets in descriptors have 32 bits, as sizes do.
const LARGEST_BUFFER: usize = u32::MAX as usize;

impl Geometry {
    /// The granule that regions are made of unless something else is asked for: a cache line, so that no two packets share
    /// one.
    pub const GRANULE: u32 = 64;
    /// The buffer begins at a multiple of this.
    pub(crate) const PAGE: usize = 4096;

    /// Queues for so many packets and acknowledgements, and a buffer of so many bytes (rounded up to whole granules).
    ///
    /// # Errors
    /// [`Error::Geometry`] if a length is no power of two up to 65,536, or the buffer is empty or has 4 GiB or more.
    pub fn new(submit: u32, acknowledge: u32, buffer: usize) -> Result<Geometry, Error> {
        if ![submit, acknowledge].iter().all(|length| length.is_power_of_two() && *length <= LONGEST_QUEUE) {
            return Err(Error::Geometry("the length of a queue is a power of two up to 65536"));
        }
        Geometry { submit, acknowledge, granule: Geometry::GRANULE, buffer: 0 }.sized(buffer)
    }

    /// The same with another granule, in bytes: with large packets a larger one saves private memory of the source.
    ///
    /// # Errors
    /// [`Error::Geometry`] if it is no power of two from 64 bytes to 1 MiB.
    pub fn with_granule(mut self, granule: u32) -> Result<Geometry, Error> {
        if !granule.is_power_of_two() || !(Geometry::GRANULE..=LARGEST_GRANULE).contains(&granule) {
            return Err(Error::Geometry("a granule is a power of two from 64 to 1048576 bytes"));
        }
        self.granule = granule;
        self.sized(self.buffer())
    }

    fn sized(self, buffer: usize) -> Result<Geometry, Error> {
        buffer
            .checked_next_multiple_of(self.granule as usize)
            .filter(|bytes| (1..=LARGEST_BUFFER).contains(bytes))
            .and_then(|bytes| u32::try_from(bytes).ok())
            .map(|buffer| Geometry { buffer, ..self })
            .ok_or(Error::Geometry("the buffer has at least one byte and less than 4 GiB"))
    }

    /// How many packets the submit queue holds.
    #[must_use]
    pub fn submit(&self) -> usize {
        self.submit as usize
    }

    /// How many acknowledgements their queue holds.
    #[must_use]
    pub fn acknowledge(&self) -> usize {
        self.acknowledge as usize
    }

    /// The size of the buffer, in bytes.
    #[must_use]
    pub fn buffer(&self) -> usize {
        self.buffer as usize
    }

    /// What regions are made of, in bytes.
    #[must_use]
    pub fn granule(&self) -> usize {
        self.granule as usize
    }

    /// The size of a dataspace for it, in bytes, with control fields of type `D`.
    #[must_use]
    pub fn bytes<D: Control>(&self) -> usize {
        Layout::new::<D>(*self).end
    }
}

/// Where everything lies, in bytes from the start of the dataspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) source: Party,
    pub(crate) sink: Party,
    pub(crate) submit: Queue,
    pub(crate) acknowledge: Queue,
    pub(crate) buffer: usize,
    pub(crate) end: usize,
}

/// The words of a party; nobody else writes `attention`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    pub(crate) attention: usize,
    pub(crate) bell: usize,
}

/// The words of a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    /// How many entries were ever put.
    pub(crate) put: usize,
    /// How many were ever taken.
    pub(crate) taken: usize,
    pub(crate) entries: usize,
    pub(crate) length: u32,
}

/// The word that says which stream this is: 0 until the first party comes.
pub(crate) const FINGERPRINT: usize = 0;

impl Layout {
    /// No sum can overflow: the measures are bounded.
    pub(crate) fn new<D: Control>(geometry: Geometry) -> Layout {
        let party = |line: usize| Party { attention: line * LINE, bell: line * LINE + 8 };
        let entry = 8 * words::<D>();
        let submit = 7 * LINE;
        let acknowledge = (submit + geometry.submit() * entry).next_multiple_of(LINE);
        let buffer = (acknowledge + geometry.acknowledge() * entry).next_multiple_of(Geometry::PAGE);
        let queue = |line: usize, entries, length| Queue {
            put: line * LINE,
            taken: (line + 1) * LINE,
            entries,
            length,
        };
        Layout {
            source: party(1),
            sink: party(2),
            submit: queue(3, submit, geometry.submit),
            acknowledge: queue(5, acknowledge, geometry.acknowledge),
            buffer,
            end: buffer + geometry.buffer(),
        }
    }
}

/// How many words an entry has: the region, and the control fields.
pub(crate) const fn words<D: Control>() -> usize {
    1 + size_of::<D>().div_ceil(8)
}

/// Tells streams of different measures or control fields apart. Never 0.
pub(crate) fn fingerprint<D: Control>(geometry: Geometry) -> u64 {
    let measures = [geometry.submit, geometry.acknowledge, geometry.granule, geometry.buffer];
    let sizes = [size_of::<D>() as u64, align_of::<D>() as u64];
    // FNV-1a over 64-bit units, from a start that stands for this layout. It guards against errors, not against attacks.
    let units = measures.into_iter().map(u64::from).chain(sizes);
    units.fold(u64::from_le_bytes(*b"packets1"), |hash, unit| (hash ^ unit).wrapping_mul(0x0100_0000_01b3))
        | 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_lie_apart_and_aligned(submit in 0_u32..17, acknowledge in 0_u32..17, buffer in 1_usize..1 << 32) {
            let Ok(geometry) = Geometry::new(1 << submit, 1 << acknowledge, buffer) else {
                prop_assert!(buffer > LARGEST_BUFFER - 64);
                return Ok(());
            };
            let layout = Layout::new::<[u8; 20]>(geometry);
            let entries = |queue: Queue| (queue.entries, queue.length as usize * 8 * words::<[u8; 20]>());
            let lines = [
                FINGERPRINT,
                layout.source.attention,
                layout.sink.attention,
                layout.submit.put,
                layout.submit.taken,
                layout.acknowledge.put,
                layout.acknowledge.taken,
            ];
            let parts = lines.map(|line| (line, LINE)).into_iter();
            let parts: Vec<_> =
                parts.chain([layout.submit, layout.acknowledge].map(entries)).chain([(layout.buffer, geometry.buffer())]).collect();
            for pair in parts.windows(2) {
                prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0);
                prop_assert!(pair[1].0.is_multiple_of(LINE));
            }
            prop_assert!(layout.buffer.is_multiple_of(Geometry::PAGE));
            prop_assert_eq!(layout.end, geometry.bytes::<[u8; 20]>());
        }
    }

    #[test]
    fn streams_of_other_measures_have_another_fingerprint() {
        let geometry = Geometry::new(8, 8, 4096).unwrap();
        let others = [
            fingerprint::<()>(Geometry::new(16, 8, 4096).unwrap()),
            fingerprint::<()>(Geometry::new(8, 16, 4096).unwrap()),
            fingerprint::<()>(Geometry::new(8, 8, 8192).unwrap()),
            fingerprint::<()>(geometry.with_granule(128).unwrap()),
            fingerprint::<u64>(geometry),
            fingerprint::<[u8; 8]>(geometry),
        ];
        assert!(!others.contains(&fingerprint::<()>(geometry)), "{others:?}");
    }
}
