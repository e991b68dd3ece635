//! The component of the benchmarks as a program of its own, which the tests start. The command starts itself instead.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_bench::component::main()
}
