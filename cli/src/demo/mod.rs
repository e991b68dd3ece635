//! The demos: each starts its components and watches over them.

mod bulk;
mod chain;
mod descriptors;
mod input;
mod log;
mod process;
mod ticker;
mod tour;
mod transfer;
mod wordcount;

use crate::args::{Demo, DemoArgs};
use crate::failure::Failure;
use crate::output::note;
use input::Input;

/// Runs a demo, or lists all and runs the tour.
pub(crate) fn run(args: DemoArgs) -> Result<(), Failure> {
    let file = match args.demo {
        Some(Demo::Wordcount { file }) => return wordcount::run(Input::open(file)?, args.json),
        Some(Demo::Tour { file }) => file,
        Some(Demo::Bulk(bulk)) => return bulk::run(&bulk, args.json),
        Some(Demo::Chain(chain)) => return chain::run(&chain, args.json),
        Some(Demo::Ticker(ticker)) => return ticker::run(&ticker, args.json),
        None => {
            note(format_args!("Demos:"));
            note(format_args!(
                "  tour [FILE]       a composition in sandboxes, of which one is killed and one is hostile"
            ));
            note(format_args!(
                "  wordcount [FILE]  a client streams a file to an object of a counter, in calls"
            ));
            note(format_args!(
                "  chain             a capability passes through processes that end behind it"
            ));
            note(format_args!(
                "  bulk [FILE]       a source streams a file to a sink, which computes its checksum"
            ));
            note(format_args!(
                "  ticker            a clock signals that it has ticked, and its watchers look at it"
            ));
            note(format_args!("Running `portcullis demo tour`."));
            None
        }
    };
    tour::run(Input::open(file)?, args.json)
}
