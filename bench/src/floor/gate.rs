//! A gate at which many processes wait and that opens for all of them at once.

use super::memory::{Memory, Slot};
use super::ping_pong::Waiting;
use crate::error::Error;
use crate::meter;
use rustix::thread::futex::{self, Flags};
use std::sync::atomic::Ordering;

/// The state of the gate now, to be handed to those who are to wait until it changes.
pub(crate) fn gate_state(memory: &Memory) -> u32 {
    memory.word(Slot::Gate).load(Ordering::Relaxed)
}

/// Opens the gate.
pub(crate) fn open_gate(memory: &Memory) -> Result<(), Error> {
    memory.write(Slot::Gate, &meter::system_time().to_le_bytes());
    // Release: the time before the word; pairs with the acquire load in `for_change`.
    memory.word(Slot::Gate).fetch_add(1, Ordering::Release);
    futex::wake(memory.word(Slot::Gate), Flags::empty(), i32::MAX as u32)
        .map_err(Error::system("futex(FUTEX_WAKE)"))?;
    Ok(())
}

/// Sleeps until the gate leaves the state; answers the system's time when it was opened. Asks now and then whether
/// to go on.
pub(crate) fn wait_at_gate(
    memory: &Memory,
    state: u32,
    go_on: impl FnMut() -> Result<(), Error>,
) -> Result<u64, Error> {
    Waiting::Futex.for_change(memory.word(Slot::Gate), state, go_on)?;
    let mut opened = [0; 8];
    memory.read(Slot::Gate, &mut opened);
    Ok(u64::from_le_bytes(opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_learns_when_it_opened() {
        let (memory, _file) = Memory::new().unwrap();
        let before = meter::system_time();
        std::thread::scope(|scope| {
            let (memory, state) = (&memory, gate_state(&memory));
            let waiter = scope.spawn(move || wait_at_gate(memory, state, || Ok(())).unwrap());
            open_gate(memory).unwrap();
            let opened = waiter.join().unwrap();
            assert!((before..=meter::system_time()).contains(&opened));
        });
    }
}
