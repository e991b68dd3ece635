//! What a parent asks of a service.

use super::request::Request;
use crate::error::Error;
use crate::quota::Quota;
use portcullis_rpc::{Capability, Later, rpc_interface};

/// An open session, whatever its interface: the client knows that, since it named the service.
#[rpc_interface(name = "portcullis.session")]
pub trait Session {}

/// The root of a service. Its parent has one thing under way for each session at most.
#[rpc_interface(name = "portcullis.root")]
pub trait Root {
    /// Makes a session. The quota is the server's for as long as the session lasts.
    fn create(&mut self, request: Request) -> Later<Result<Capability<dyn Session>, Error>>;
    /// The server has so much more for the session.
    fn upgrade(&mut self, number: u64, quota: Quota) -> Later<Result<(), Error>>;
    /// Closes it; all that was donated goes back.
    fn close(&mut self, number: u64) -> Later<Result<(), Error>>;
}
