//! What has come so far.

use super::interface::Summary;
use sha2::{Digest, Sha256};

/// The size and the checksum of bytes that come in pieces.
#[derive(Default)]
pub(super) struct Content {
    bytes: u64,
    checksum: Sha256,
}

impl Content {
    /// Adds the next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.checksum.update(piece);
    }

    /// How many bytes have come.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Size and checksum.
    pub(super) fn summary(&self) -> Summary {
        Summary { bytes: self.bytes, sha256: self.checksum.clone().finalize().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let mut content = Content::default();
        content.add(b"a");
        content.add(b"bc");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((content.summary().bytes, content.summary().to_string()), (3, expected.into()));
    }
}
