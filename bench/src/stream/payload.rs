//! What packets are made of, and what is done with them.

/// What is filled at once.
const CHUNK: usize = 8 << 10;
/// Where the content of a packet may begin: on cache lines.
const STEP: usize = 64;

/// Noise in private memory, which stays in the cache.
pub(super) struct Payload(Box<[u8]>);

impl Payload {
    pub(super) fn new() -> Payload {
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_le_bytes()[3]
        });
        Payload(noise.take(2 * CHUNK).collect())
    }

    /// The content of a packet, part by part, each with its place. It differs from packet to packet.
    #[inline]
    pub(super) fn parts(&self, number: usize, size: usize) -> impl Iterator<Item = (usize, &[u8])> {
        let content = &self.0[number % (CHUNK / STEP) * STEP..][..CHUNK];
        (0..size).step_by(CHUNK).map(move |place| (place, &content[..CHUNK.min(size - place)]))
    }

    /// Fills a packet.
    #[inline]
    pub(super) fn fill(&self, number: usize, packet: &mut [u8]) {
        for (place, part) in self.parts(number, packet.len()) {
            packet[place..][..part.len()].copy_from_slice(part);
        }
    }

    /// What the first bytes of so many packets come to.
    pub(super) fn sum(&self, packets: usize, read: usize) -> u64 {
        let of = |number| self.parts(number, read).map(|(_, part)| sum(part)).fold(0, u64::wrapping_add);
        (0..packets).map(of).fold(0, u64::wrapping_add)
    }
}

/// The sum of all words, and of the bytes that are left.
#[inline]
pub(super) fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().fold(0_u64, |sum, word| sum.wrapping_add(u64::from_le_bytes(*word)));
    rest.iter().fold(words, |sum, byte| sum.wrapping_add(u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_comes_to_what_is_foretold() {
        let payload = Payload::new();
        for size in [16, 64, 4096, 20_000] {
            let packets = (0..3).map(|number| {
                let mut packet = vec![0; size];
                payload.fill(number, &mut packet);
                sum(&packet)
            });
            assert_eq!(packets.fold(0, u64::wrapping_add), payload.sum(3, size), "{size}");
        }
        assert_ne!(payload.sum(1, 64), payload.sum(2, 64));
    }
}
