//! The demos: each starts its components and watches over them.

mod chain;
mod input;
mod log;
mod process;
mod wordcount;

use crate::args::{Demo, DemoArgs};
use crate::failure::Failure;
use crate::output::note;
use input::Input;

/// Runs a demo, or lists all and runs the first.
pub(crate) fn run(args: DemoArgs) -> Result<(), Failure> {
    let file = match args.demo {
        Some(Demo::Wordcount { file }) => file,
        Some(Demo::Chain(chain)) => return chain::run(&chain, args.json),
        None => {
            note(format_args!("Demos:"));
            note(format_args!(
                "  wordcount [FILE]  a client streams a file to an object of a counter, in calls"
            ));
            note(format_args!(
                "  chain             a capability passes through processes that end behind it"
            ));
            note(format_args!("Running `portcullis demo wordcount`."));
            None
        }
    };
    wordcount::run(Input::open(file)?, args.json)
}
