//! Services: an interface, and what is said when a session of it is opened.

use crate::budget::Budget;
use crate::env::Env;
use crate::error::Error;
use crate::label::Label;
use crate::quota::Quota;
use portcullis_rpc::{Interface, Serves};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a hop keeps of a donation until the session is closed: the parent's bookkeeping, and the capability that it holds.
pub const HOP_COST: Quota = Quota::new(2048, 1);

/// An interface whose objects are sessions: the service has the interface's name.
pub trait Service: Interface {
    /// What a client says when it opens a session.
    type Arguments: Serialize + DeserializeOwned;

    /// What a connection donates if nothing else is said. If a server wants more, it says so and is given it.
    fn donation(_arguments: &Self::Arguments) -> Quota {
        Quota::new(8192, 4)
    }
}

/// A session that is to be made, as its server sees it. [`test`](mod@crate::test) has a server that looks at it:
///
/// ```
/// use portcullis_component::Opening;
///
/// /// Who may have what: decided by who asks, which is at the front.
/// fn is_welcome(opening: &Opening<()>) -> bool {
///     opening.label.hops().first().is_some_and(|first| first == "shell")
/// }
/// ```
#[derive(Debug)]
pub struct Opening<A> {
    /// Who asks, as the parents on the way say.
    pub label: Label,
    /// What the client said.
    pub arguments: A,
    /// What the server may spend for this session, and no more: the donation, less what the server
    /// [needs](Sessions::needs) for any.
    pub budget: Budget,
    /// The server's environment.
    pub env: Env,
}

/// The server's side of a service: what makes its sessions, for [`Env::announce`].
pub trait Sessions<I: ?Sized + Service + Serves<Self::Session>>: 'static {
    /// A session: an object that is managed by the component's entrypoint.
    type Session: 'static;

    /// What the server itself spends for each session, whatever it is used for. A donation that does not cover it is
    /// refused as insufficient.
    fn needs(&self, _arguments: &I::Arguments) -> Quota {
        Quota::new(1024, 1)
    }

    /// Makes a session.
    ///
    /// # Errors
    /// What the client is told: [`Error::denied`], [`Error::insufficient`], whatever fits.
    fn create(&mut self, opening: Opening<I::Arguments>) -> Result<Self::Session, Error>;

    /// The session's budget has grown.
    fn upgraded(&mut self, _session: &mut Self::Session) {}

    /// The session has ended: its client closed it, or has died. No capability to it is worth anything any more.
    fn close(&mut self, _session: Self::Session) {}
}
