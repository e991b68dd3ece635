//! What a component asks of its parent.

use super::errand::{Errand, Outcome};
use super::request::Request;
use super::root::{Root, Session};
use crate::error::Error;
use crate::quota::Quota;
use portcullis_rpc::{Capability, Later, SignalCapability, rpc_interface};

/// A parent, as one child of it sees it: holding the capability is being that child.
#[rpc_interface(name = "portcullis.parent")]
pub trait Parent {
    /// A session of a service, wherever the parent finds it. Answered when it is there or denied. The number names it from
    /// the moment of asking on, so that it can be closed before.
    fn session(&mut self, request: Request) -> Later<Result<Capability<dyn Session>, Error>>;
    /// Adds to the donation of a session. Answered when the server knows.
    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>>;
    /// Closes a session, or the request for one. Answered at once, or when all that was donated is back.
    fn close(&mut self, number: u64, when_back: bool) -> Later<Result<(), Error>>;
    /// Offers a service: the parent asks `root` for its sessions.
    fn announce(&mut self, service: &str, root: Capability<dyn Root>) -> Result<(), Error>;
    /// What the child has left to donate.
    fn budget(&mut self) -> Result<Quota, Error>;
    /// Asks for more quota. Answered when the parent has decided.
    fn ask(&mut self, quota: Quota) -> Later<Result<(), Error>>;
    /// Gives quota back.
    fn give_back(&mut self, quota: Quota) -> Result<(), Error>;
    /// Says that the child ends, and how.
    fn exit(&mut self, code: i32) -> Result<(), Error>;
    /// Sets quota aside that the child uses itself: it cannot be donated until it is released.
    fn set_aside(&mut self, quota: Quota) -> Result<(), Error>;
    /// The child can donate it again.
    fn release(&mut self, quota: Quota) -> Result<(), Error>;
    /// Has something begun that may take long. Answered at once; what comes of it is an [`outcome`](Self::outcome), later. If too
    /// many of these lie there, it is not begun: [`Error::TooManyOutcomes`].
    fn begin(&mut self, errand: Errand) -> Result<(), Error>;
    /// What is signalled when there are outcomes, instead of what was before; at once if there are.
    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error>;
    /// The first of the outcomes that are there. It stays there until the next one is asked for, by who says which one has come: an answer
    /// that brings a capability can be lost for want of descriptors. Who was told instead that it cannot be handed to him says
    /// that it is lost: then it is an error, and the session to be closed.
    fn outcome(&mut self, has_come: Option<u64>, is_lost: bool) -> Result<Option<Outcome>, Error>;
}
