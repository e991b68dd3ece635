//! Spawn: a process that somebody else starts, for a parent that cannot start processes itself: one that is confined.
//!
//! A session is one process: it is described, started, and ends with its session, so with whoever has that. The process's budget is
//! no business of this: its parent gives it that, of its own. What the session's donation pays for is what the server holds for it.
//!
//! Arguments: none; the label is what the process is called, for who reads it.

mod component;

pub use component::{Allowance, SpawnComponent, SpawnSession};

use crate::error::Error;
use crate::host::Exit;
use crate::protocol::Component;
use crate::quota::Quota;
use crate::sandbox::Mode;
use crate::service::Service;
use portcullis_rpc::{Capability, SignalCapability, rpc_interface};
use serde::{Deserialize, Serialize};

/// The most bytes of an argument that one call takes.
pub const MAX_PART: usize = 1000;

/// What a session takes: what its server needs, and each parent on the longest way.
pub const DONATION: Quota = Quota::new(64 << 10, 24);

/// How a process is to be confined.
///
/// ```
/// use portcullis_component::sandbox::Mode;
/// use portcullis_component::spawn::Confinement;
///
/// let strict = Confinement { mode: Mode::Strict, memory: 64 << 20, descriptors: 256 };
/// assert!(strict.mode < Mode::Off);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// How much of a sandbox there must be.
    pub mode: Mode,
    /// What its parent has given it of memory, in bytes: its memory group has that beside what any process takes.
    pub memory: u64,
    /// The most descriptors that it has; no more than 16,384.
    pub descriptors: u64,
}

/// A spawn session.
#[rpc_interface(name = "spawn")]
pub trait Spawn {
    /// Adds a part of an argument; the first argument is the path of the program.
    fn argument(&mut self, part: &[u8], ends: bool) -> Result<(), Error>;
    /// Whether it could be started, as far as that can be known.
    fn check(&mut self, confinement: Confinement) -> Result<(), Error>;
    /// Starts it, once; answers with its number, good for messages, and with its first object.
    fn start(&mut self, confinement: Confinement) -> Result<(u32, Capability<dyn Component>), Error>;
    /// Its parent has given it another amount of memory.
    fn give(&mut self, memory: u64) -> Result<(), Error>;
    /// Ends it, at once. That it has ended is seen later.
    fn kill(&mut self) -> Result<(), Error>;
    /// What is signalled when it has ended, instead of what was before; at once if it has.
    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error>;
    /// How it has ended; nothing if it has not, or was not started.
    fn ended(&mut self) -> Result<Option<Exit>, Error>;
}

impl Service for dyn Spawn {
    type Arguments = ();

    fn donation((): &()) -> Quota {
        DONATION
    }
}
