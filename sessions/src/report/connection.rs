//! The client's side of a session.

use super::Report;
use portcullis_component::Connection;

/// A report session of one's own: `env.connect::<dyn Report>("state", &Arguments { size: 4096 })`.
pub type ReportConnection = Connection<dyn Report>;
