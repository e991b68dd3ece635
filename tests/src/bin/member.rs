//! A component of a composition; the first argument says what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    portcullis_tests::composed::run(std::env::args().skip(1))
}
