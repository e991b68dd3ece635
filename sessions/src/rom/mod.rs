//! ROM: a content that is read, and may be replaced by a newer one.
//!
//! Arguments: none; the label says which. A session has a copy of its own, which it pays for and which changes only when it says
//! so ([`Rom::update`]).

mod client;
mod component;
mod connection;

pub use client::{RomClient, RomContent};
pub use component::{RomComponent, RomSession};
pub use connection::RomConnection;

use portcullis_component::{Error, Service};
use portcullis_rpc::{Later, rpc_interface};
use serde::{Deserialize, Serialize};

/// The most bytes that one read brings.
pub const MAX_READ: u32 = 1000;

/// What a session's copy is.
///
/// ```
/// use portcullis_sessions::rom::Version;
///
/// assert_eq!(Version::default(), Version { number: 0, size: 0 }, "there is no content");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The number of the content; 0 if there is none.
    pub number: u64,
    /// Its size, in bytes.
    pub size: u32,
}

/// A ROM session.
#[rpc_interface(name = "rom")]
pub trait Rom {
    /// Replaces the session's copy by the newest content. If the donation does not cover that, the copy stays as it is:
    /// [`Error::InsufficientRamQuota`] says what is missing.
    fn update(&mut self) -> Result<Version, Error>;
    /// A part of the copy: at most [`MAX_READ`] bytes, fewer at its end, none beyond.
    fn read(&mut self, offset: u32, length: u32) -> Result<Vec<u8>, Error>;
    /// Answers when the newest content has another number. One call at a time waits in each session; another one is
    /// [`Error::SessionBusy`].
    fn changed(&mut self, number: u64) -> Later<Result<u64, Error>>;
}

impl Service for dyn Rom {
    type Arguments = ();
}
