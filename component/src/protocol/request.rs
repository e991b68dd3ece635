//! What is asked for with a session.

use crate::error::Error;
use crate::label::Label;
use crate::quota::Quota;
use serde::{Deserialize, Serialize};

/// The most bytes that the arguments of a session take.
pub const MAX_ARGUMENTS: usize = 256;

/// The most bytes that the name of a service has.
pub const MAX_SERVICE: usize = 64;

/// A session that somebody asks for: a component its parent, a parent the server.
///
/// ```
/// use portcullis_component::{Error, Label, Quota, protocol::Request};
///
/// let mut request = Request {
///     number: 1,
///     service: "log".into(),
///     label: Label::default(),
///     arguments: Vec::new(),
///     quota: Quota::NONE,
/// };
/// assert_eq!(request.check(), Ok(()));
/// request.arguments = vec![0; 257];
/// assert_eq!(request.check(), Err(Error::ArgumentsTooLong { length: 257 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What the one who asks calls the session. It is for him to choose, and free again when the session is closed.
    pub number: u64,
    /// The service: the name of its interface.
    pub service: String,
    /// Who asks, as far as the hops so far know.
    pub label: Label,
    /// What the service is told, encoded as its interface says.
    #[serde(with = "portcullis_rpc::bytes")]
    pub arguments: Vec<u8>,
    /// What is donated for the session. Each hop keeps its [cost](crate::HOP_COST) of it and passes on the rest.
    pub quota: Quota,
}

impl Request {
    /// Whether it keeps to the limits.
    ///
    /// # Errors
    /// [`Error::Label`], [`Error::ArgumentsTooLong`], or [`Error::ServiceDenied`] for a name that no service has.
    pub fn check(&self) -> Result<(), Error> {
        self.label.check()?;
        if self.arguments.len() > MAX_ARGUMENTS {
            return Err(Error::ArgumentsTooLong { length: self.arguments.len() });
        }
        if self.service.len() > MAX_SERVICE {
            return Err(Error::denied(&self.service, "the name of a service has at most 64 bytes"));
        }
        Ok(())
    }
}
