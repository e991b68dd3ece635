//! The client's side.

use super::Timer;
use portcullis_rpc::Client;

/// A client of a timer session.
pub type TimerClient = Client<dyn Timer>;
