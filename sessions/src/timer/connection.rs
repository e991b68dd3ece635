//! The client's side of a session.

use super::Timer;
use portcullis_component::Connection;

/// A timer session of one's own: `env.connect::<dyn Timer>("", &())`.
pub type TimerConnection = Connection<dyn Timer>;
