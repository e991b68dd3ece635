//! The client's side of a session.

use super::Terminal;
use portcullis_component::Connection;

/// A terminal session of one's own: `env.connect::<dyn Terminal>("", &())`.
pub type TerminalConnection = Connection<dyn Terminal>;
