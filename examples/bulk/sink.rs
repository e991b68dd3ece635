//! The sink component: makes receivers, and computes size and checksum of what comes.

use super::interface::{Pieces, Receiver, Sink, Summary};
use crate::Failure;
use crate::serve_parent;
use portcullis_entrypoint::{Entrypoint, Error, WeakEntrypoint};
use portcullis_ipc::Limits;
use portcullis_rpc::{self as rpc, Capability};
use sha2::{Digest, Sha256};
use std::rc::Rc;

/// Receivers at one time.
pub const MOST_RECEIVERS: u32 = 16;

/// The parent holds the sink and all receivers; each source comes by a portal.
const LIMITS: Limits =
    Limits { rows: 1 + MOST_RECEIVERS, contexts: 0, channels: 32, portals: MOST_RECEIVERS };

/// Runs the component: serves the parent until it ends.
///
/// # Errors
/// The transport's `NotSpawned` if this process is no component; else what the system refuses.
pub fn run() -> Result<(), Error> {
    serve_parent(LIMITS, manage)
}

/// Has an entrypoint manage a sink.
#[must_use]
pub fn manage(entrypoint: &Entrypoint) -> Capability<dyn Sink> {
    entrypoint.manage(Maker { entrypoint: entrypoint.downgrade(), place: Place::default() })
}

/// What every receiver holds a share of: so they are counted.
type Place = Rc<()>;

struct Maker {
    entrypoint: WeakEntrypoint,
    place: Place,
}

impl Sink for Maker {
    fn by_calls(&mut self) -> Result<Capability<dyn Pieces>, Failure> {
        // One share is the maker's own.
        if Rc::strong_count(&self.place) > MOST_RECEIVERS as usize {
            return Err(Failure::Exhausted);
        }
        let entrypoint = self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?;
        let receiver = Called {
            content: Content::default(),
            entrypoint: self.entrypoint.clone(),
            _place: self.place.clone(),
        };
        Ok(entrypoint.manage_counted(receiver, |_, entrypoint| {
            entrypoint.dissolve_current();
        }))
    }
}

/// What has come so far.
#[derive(Default)]
struct Content {
    bytes: u64,
    checksum: Sha256,
}

impl Content {
    fn add(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.checksum.update(piece);
    }

    fn summary(&self) -> Summary {
        Summary { bytes: self.bytes, sha256: self.checksum.clone().finalize().into() }
    }
}

/// A receiver of calls.
struct Called {
    content: Content,
    entrypoint: WeakEntrypoint,
    _place: Place,
}

impl Receiver for Called {
    fn received(&mut self) -> Result<u64, Failure> {
        Ok(self.content.bytes)
    }

    fn finish(&mut self) -> Result<Summary, Failure> {
        self.entrypoint.upgrade().ok_or(rpc::Error::Disconnected)?.dissolve_current();
        Ok(self.content.summary())
    }
}

impl Pieces for Called {
    fn put(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.content.add(piece);
        Ok(())
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
