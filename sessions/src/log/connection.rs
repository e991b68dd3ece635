//! The client's side of a session.

use super::Log;
use portcullis_component::Connection;

/// A log session of one's own: `env.connect::<dyn Log>("what this is about", &())`.
pub type LogConnection = Connection<dyn Log>;
