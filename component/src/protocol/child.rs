//! What a parent asks of its child.

use super::parent::Parent;
use crate::error::Error;
use crate::quota::Quota;
use portcullis_rpc::{Capability, rpc_interface};

/// A component, as its parent sees it: its first object.
#[rpc_interface(name = "portcullis.component")]
pub trait Component {
    /// Hands it all that it has: its parent. Who is confined gives up first what a program needs only to begin, see
    /// [`harden`](crate::sandbox::harden).
    fn start(&mut self, parent: Capability<dyn Parent>, is_confined: bool) -> Result<(), Error>;
    /// Answers, if it still serves.
    fn heartbeat(&mut self) -> Result<(), Error>;
    /// The parent wants so much back. The child gives what it can do without, by [`Parent::give_back`], in its own time.
    fn yield_quota(&mut self, quota: Quota) -> Result<(), Error>;
    /// The parent wants it to end by itself.
    fn stop(&mut self) -> Result<(), Error>;
}
