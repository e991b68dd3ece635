//! Delegation between strangers: who may invoke what, by whatever ways a capability came.

mod balance;
mod circles;
mod random;
mod travel;

use portcullis_ipc::Error;
use portcullis_tests::authority::fleet::{Fleet, Setting};
use portcullis_tests::authority::op::{ACTORS, Actor, Holding, Object, Op, Outcome};
use std::time::Duration;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// What no test takes, even on a machine under load.
const LIMIT: Duration = Duration::from_secs(300);

/// The first actor of a process.
const fn first_of(process: usize) -> Actor {
    Actor(process * ACTORS)
}

/// So many processes.
fn fleet(processes: usize) -> Result<Fleet, Error> {
    Fleet::start(&Setting { processes, ..Setting::new(ACTOR) })
}

/// What is done is done.
fn done(fleet: &mut Fleet, op: &Op) -> Result<(), Error> {
    assert_eq!(fleet.execute(op)?, Outcome::Done, "{op:?}");
    Ok(())
}

/// An object, and who holds it beside its owner: under a number that is ten times as large, and the holder's place.
fn object_for(fleet: &mut Fleet, number: u64, owner: Actor, holders: &[Actor]) -> Result<(), Error> {
    let what = Holding(number);
    done(fleet, &Op::Create { actor: owner, object: Object(number), holding: what })?;
    for (holding, &to) in (number * 10..).map(Holding).zip(holders) {
        done(fleet, &Op::Carry { from: owner, what, to, holding })?;
    }
    Ok(())
}
