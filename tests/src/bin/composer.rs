//! `init` as a component.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_init::component(std::env::args_os().nth(1).map(Into::into).unwrap_or_default())
}
