//! The sessions that there are, for whoever decides about them.

use super::Host;
use super::state::{Client, Server};
use crate::error::Error;
use crate::hop::{Event, State as HopState};
use crate::label::Label;

/// A session at its parent. No other one ever has the same number.
///
/// ```
/// use portcullis_component::host::{Asked, Host, Route};
/// # use portcullis_component::Quota;
/// # use portcullis_entrypoint::Entrypoint;
/// # use portcullis_ipc::Pd;
/// # let pd = Pd::new()?;
/// # let entrypoint = Entrypoint::new(&pd)?;
/// # let host = Host::new(&pd, &entrypoint, Quota::NONE, |_: Asked<'_>| Route::Parent);
/// for session in host.open_sessions() {
///     host.end_session(session.number, "all of them");
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionNumber(u64);

/// Who serves a session.
///
/// ```
/// use portcullis_component::host::ServedBy;
///
/// assert_ne!(ServedBy::Child("log".into()), ServedBy::Parent);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServedBy {
    /// The child of that name.
    Child(String),
    /// The parent's own parent, or whoever it has found.
    Parent,
}

/// A session that a child, or the parent's own parent, has or has asked for.
///
/// ```
/// use portcullis_component::host::OpenSession;
///
/// fn is_of_shell(session: &OpenSession) -> bool {
///     session.client == "shell" && session.service == "log"
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// What it is called here.
    pub number: SessionNumber,
    /// The child's name; empty if the parent's own parent has asked.
    pub client: String,
    /// Which service it is of.
    pub service: String,
    /// The label as the client gave it.
    pub label: Label,
    /// Who serves it.
    pub server: ServedBy,
    /// Whether it is there. If not, its server has not answered yet, or has not announced the service.
    pub is_open: bool,
}

impl Host {
    /// The sessions that there are or that are waited for, but for those that are being closed and those whose server has ended.
    #[must_use]
    pub fn open_sessions(&self) -> Vec<OpenSession> {
        let state = self.0.state.borrow();
        let name = |child: u64| state.name_of(child);
        let sessions = state.sessions.iter().filter_map(|(number, sess)| {
            let is_open = match sess.hop.state() {
                HopState::Open | HopState::Upgrading => true,
                HopState::Waiting | HopState::Creating => false,
                HopState::Closing | HopState::Orphaned | HopState::Gone => return None,
            };
            let (client, hops) = match sess.client {
                Client::Child { child, .. } => (name(child)?, sess.request.label.hops().get(1..)),
                Client::Above { .. } => (String::new(), Some(sess.request.label.hops())),
            };
            let server = match sess.server {
                Server::Child(child) => ServedBy::Child(name(child)?),
                Server::Above { .. } => ServedBy::Parent,
            };
            // A part of what was checked before.
            let label = Label::new(hops.unwrap_or_default().iter().cloned()).ok()?;
            let service = sess.request.service.clone();
            Some(OpenSession { number: SessionNumber(*number), client, service, label, server, is_open })
        });
        sessions.collect()
    }

    /// Ends a session, as if its client had closed it: what was donated is the client's again, and calls to the session fail. Who still
    /// waits for it is denied it for that reason. Nobody waits here for the server.
    pub fn end_session(&self, number: SessionNumber, reason: &str) {
        let event = {
            let mut state = self.0.state.borrow_mut();
            let Some(sess) = state.sessions.get_mut(&number.0) else { return };
            if sess.hop.state() == HopState::Waiting {
                sess.refused = Some(Error::denied(&sess.request.service, reason));
                Event::Refused
            } else {
                Event::Close
            }
        };
        self.on(number.0, event);
    }
}
