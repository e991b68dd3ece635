//! A server whose clients are played by hand, so that it is known in which of its steps it finds what.

mod awaiting;
mod client;
mod deadlines;
mod here;
mod notices;
mod replies;
mod strangers;

use super::{Limits, Server};
use crate::pd::{Pd, PdOptions};
use crate::wait_policy::WaitPolicy;
use std::time::Duration;

/// What nothing takes that works.
const LONG: Duration = Duration::from_secs(20);

/// A server that waits in that way.
fn server(wait: WaitPolicy, limits: Limits) -> Server {
    let pd = Pd::with(PdOptions { wait, ..PdOptions::default() }).unwrap();
    Server::with(&pd, limits).unwrap()
}
