//! A component; the first argument says which.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_tests::tree::run(std::env::args().skip(1))
}
