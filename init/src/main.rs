//! `init` as a component: it runs the composition that it is configured with.
//!
//! Its one argument, if there is any, is the directory at which relative paths of binaries begin, instead of the working directory.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_init::component(std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_default())
}
