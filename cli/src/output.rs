//! Where the command writes: results to standard output, everything else to standard error.

use crate::failure::Failure;
use std::io::Write;

/// Writes a line to standard error. If that is closed, there is nobody to tell.
pub(crate) fn note(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes a line of results.
pub(crate) fn result(line: &[u8]) -> Result<(), Failure> {
    let mut output = std::io::stdout().lock();
    output.write_all(&[line, b"\n"].concat()).and_then(|()| output.flush()).map_err(Failure::Output)
}
