//! What a child process of a demo or a benchmark runs.

use crate::bench;
use crate::failure::Failure;
use std::process::ExitCode;

/// Runs the component of that name until its parent ends.
pub(crate) fn run(name: &str) -> Result<ExitCode, Failure> {
    if name == bench::COMPONENT {
        return Ok(portcullis_bench::component::main());
    }
    if let Some(construct) = portcullis_examples::tour::component(name) {
        return Ok(portcullis_component::run(|env| construct(&env)));
    }
    let program = portcullis_examples::component(name).ok_or_else(|| Failure::NoComponent(name.into()))?;
    program().map_err(|error| Failure::Component { name: name.into(), error })?;
    Ok(ExitCode::SUCCESS)
}
