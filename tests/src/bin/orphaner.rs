//! A parent that is to be killed: starts an intruder (the first argument is its path) in a sandbox of that mode (the second), has it try what
//! the numbers behind that mean, says what came of each, then the number of its process, and waits for its own end.

use portcullis_component::sandbox::Sandbox;
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::Cell;
use portcullis_tests::intruder::defiance::forever;
use std::io::Write;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().expect("a path and a mode come first");
    let (path, mode) = (next(), next().parse().expect("it is a mode"));
    let cell = Cell::start(&path, &Sandbox { mode, ..Sandbox::default() }).expect("it starts");
    let mut stdout = std::io::stdout().lock();
    for number in arguments {
        let attempt = number.parse().ok().and_then(Attempt::from_number).expect("it is an attempt");
        writeln!(stdout, "{:?}", cell.tries(attempt, "")).expect("somebody reads");
    }
    writeln!(stdout, "{}", cell.child.id()).expect("somebody reads");
    forever();
}
