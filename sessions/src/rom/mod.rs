//! ROM: a content that is read, and may be replaced by a newer one.
//!
//! Arguments: none; the label says which. A session has a copy of its own in a dataspace that its client can but read. The client pays
//! for it, and it changes only when the client says so.
//!
//! ```text
//!   client                                    server
//!     │ update_signal(context)                  │
//!     ├────────────────────────────────────────>│
//!     │<─ ─ ─ ─ ─ ─ signal: there is a newer one┤
//!     │ update()                                │ copies it into the session's dataspace, if that is large enough,
//!     ├────────────────────────────────────────>│ and else into a new one, on the donation
//!     │<──── number, size, which dataspace ─────┤
//!     │ dataspace(), if it is another one       │
//!     ├────────────────────────────────────────>│
//!     │ attaches it, and reads                  │
//! ```
//! Nobody can take pages out of what is sealed against writers. So a dataspace that became too small stays on the donation until the
//! session is closed; each is at least twice as large as the one before, and all of them together cost less than twice the last.

mod client;
mod component;
mod connection;

pub use client::{RomClient, RomContent};
pub use component::{RomComponent, RomSession};
pub use connection::RomConnection;

use portcullis_component::{Error, Service};
use portcullis_rpc::{DataspaceCapability, Later, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};

/// What a session's copy is.
///
/// ```
/// use portcullis_sessions::rom::Version;
///
/// assert_eq!(Version::default(), Version { number: 0, size: 0, dataspace: 0 }, "there is no content");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The number of the content; 0 if there is none.
    pub number: u64,
    /// Its size, in bytes.
    pub size: u32,
    /// In which of the session's dataspaces it lies, from the start; 0 if there was no content yet that had bytes.
    pub dataspace: u32,
}

/// A ROM session.
#[rpc_interface(name = "rom")]
pub trait Rom {
    /// Replaces the session's copy by the newest content: in the same dataspace if that is large enough. If the donation does not
    /// cover another one, the copy stays as it is: [`Error::InsufficientRamQuota`] says what is missing.
    fn update(&mut self) -> Result<Version, Error>;
    /// The dataspace in which the copy lies, to be read; none if there was none yet.
    fn dataspace(&mut self) -> Result<Option<DataspaceCapability>, Error>;
    /// Answers when the newest content has another number. One call at a time waits in each session; another one takes its
    /// place, and its caller is told that it was abandoned.
    fn changed(&mut self, number: u64) -> Later<Result<u64, Error>>;
    /// What is signalled when there is a newer content, instead of what was before; at once if there is one already.
    fn update_signal(&mut self, context: SignalCapability) -> Result<(), Error>;
}

impl Service for dyn Rom {
    type Arguments = ();
}
