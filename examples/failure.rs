//! Why a call brought no result.

use portcullis_rpc::Error;
use serde::{Deserialize, Serialize};

/// Why a call of a component brought no result.
///
/// ```
/// use portcullis_examples::Failure;
///
/// assert_eq!(Failure::Begun.to_string(), "it has begun already");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Failure {
    /// There was no answer.
    #[error(transparent)]
    Call(#[from] Error),
    /// As many objects as the component makes are in use.
    #[error("it has no room for another object: close one first")]
    Exhausted,
    /// It does that once only, and has begun.
    #[error("it has begun already")]
    Begun,
    /// It has handed on what it held, or has got nothing yet.
    #[error("it holds no capability: give it one first")]
    Empty,
    /// So much does not lie in the buffer.
    #[error("its buffer is not so large: say how much lies there")]
    Outside,
    /// The system does not say which descriptors are open.
    #[error("it cannot count its descriptors, is /proc mounted? ({0})")]
    Uncounted(String),
}
