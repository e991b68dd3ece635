//! The command `portcullis`: shows what Portcullis does.
//!
//! `args` is the command line, `demo` runs the demos, `component` is what a child process of a demo runs, and
//! `failure` says what went wrong and with which code the command ends.
#![forbid(unsafe_code)]

mod args;
mod component;
mod demo;
mod failure;
mod output;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => demo::run(args),
        Command::Component { name } => component::run(&name),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
