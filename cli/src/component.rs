//! What a child process of a demo runs.

use crate::failure::Failure;

/// Runs the component of that name until its parent ends.
pub(crate) fn run(name: &str) -> Result<(), Failure> {
    let program = portcullis_examples::component(name).ok_or_else(|| Failure::NoComponent(name.into()))?;
    program().map_err(|error| Failure::Component { name: name.into(), error })
}
