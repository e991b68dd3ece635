//! The command `portcullis`: shows what Portcullis does.
//!
//! `args` is the command line, `demo` runs the demos and `bench` the benchmarks, `component` is what a child process
//! of theirs runs, `composition` checks and draws composition files, `run` runs them, `doctor` says what the kernel allows a sandbox, and `failure`
//! says what went wrong and with which code the command ends.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod component;
mod composition;
mod demo;
mod doctor;
mod failure;
mod output;
mod run;

use args::{Args, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Demo(args) => demo::run(args).map(|()| ExitCode::SUCCESS),
        Command::Bench(bench) => bench::run(bench).map(|()| ExitCode::SUCCESS),
        Command::Check(args) => composition::check(&args).map(|()| ExitCode::SUCCESS),
        Command::Graph(args) => composition::graph(&args).map(|()| ExitCode::SUCCESS),
        Command::Run(args) => run::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Component { name } => component::run(&name),
    };
    result.unwrap_or_else(|failure| failure.report().into())
}
