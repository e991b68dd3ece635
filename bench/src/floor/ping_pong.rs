//! Request and reply through shared slots, the waiting done by spinning or by futex.

use super::memory::{MAX_BYTES, Memory, Slot};
use crate::error::Error;
use crate::idle::patience;
use rustix::fs::Timespec;
use rustix::thread::futex::{self, Flags};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, Ordering};

/// How a side waits for the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Waiting {
    /// Looks until it is there.
    Spin,
    /// Sleeps at once.
    Futex,
}

impl Waiting {
    /// The name of the floor.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Waiting::Spin => "spin",
            Waiting::Futex => "futex",
        }
    }
}

/// The sequence of the message that ends the ping-pong.
const STOP: u32 = u32::MAX;
/// Turns of spinning between two looks at whether anybody is still there: some milliseconds.
const TURNS_BETWEEN_LOOKS: u32 = 1 << 16;
/// How long a futex waits between those looks.
const SLEEP: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

impl Waiting {
    /// Waits until the word is not what it was; answers what it is. Asks now and then whether to go on.
    #[inline]
    pub(super) fn for_change(
        self,
        word: &AtomicU32,
        old: u32,
        mut go_on: impl FnMut() -> Result<(), Error>,
    ) -> Result<u32, Error> {
        loop {
            for _ in 0..TURNS_BETWEEN_LOOKS {
                // Acquire: pairs with the release store in `publish`; the payload is there.
                let new = word.load(Ordering::Acquire);
                if new != old {
                    return Ok(new);
                }
                match self {
                    Waiting::Spin => std::hint::spin_loop(),
                    Waiting::Futex => {
                        // A wake, a changed word, a signal: look again. Only the end of the time is of interest.
                        let slept = futex::wait(word, Flags::empty(), old, Some(&SLEEP));
                        if slept == Err(rustix::io::Errno::TIMEDOUT) {
                            break;
                        }
                    }
                }
            }
            go_on()?;
        }
    }

    /// Stores the word after the payload was written, and wakes who sleeps on it.
    #[inline]
    fn publish(self, word: &AtomicU32, sequence: u32) -> Result<(), Error> {
        // Release: the payload before the word; pairs with the acquire load in `for_change`.
        word.store(sequence, Ordering::Release);
        if self == Waiting::Futex {
            // Between processes: no private flag.
            futex::wake(word, Flags::empty(), 1).map_err(Error::system("futex(FUTEX_WAKE)"))?;
        }
        Ok(())
    }
}

/// The client's side of a ping-pong under way.
#[derive(Debug)]
pub(crate) struct Client<'a> {
    memory: &'a Memory,
    waiting: Waiting,
    sequence: u32,
    /// What is sent, and what comes back.
    payloads: (Vec<u8>, Vec<u8>),
}

impl<'a> Client<'a> {
    /// Prepares the memory. The server must not be in [`serve`] yet.
    pub(crate) fn new(memory: &'a Memory, waiting: Waiting, bytes: usize) -> Client<'a> {
        let payloads = (vec![0x5a; bytes.min(MAX_BYTES)], vec![0; bytes.min(MAX_BYTES)]);
        let mut client = Client { memory, waiting, sequence: 0, payloads };
        client.reset();
        client
    }

    /// Prepares the memory for the next run, after [`stop`](Self::stop).
    pub(crate) fn reset(&mut self) {
        self.sequence = 0;
        // Relaxed: the call that sends the server into `serve` orders it.
        self.memory.word(Slot::Request).store(0, Ordering::Relaxed);
        self.memory.word(Slot::Reply).store(0, Ordering::Relaxed);
    }

    /// One round trip.
    #[inline]
    pub(crate) fn call(&mut self) -> Result<(), Error> {
        let last = self.sequence;
        self.sequence += 1;
        self.memory.write(Slot::Request, &self.payloads.0);
        self.waiting.publish(self.memory.word(Slot::Request), self.sequence)?;
        self.waiting.for_change(self.memory.word(Slot::Reply), last, patience())?;
        self.memory.read(Slot::Reply, &mut self.payloads.1);
        Ok(())
    }

    /// Ends the server's part.
    pub(crate) fn stop(&mut self) -> Result<(), Error> {
        self.waiting.publish(self.memory.word(Slot::Request), STOP)
    }
}

/// The server's side: sends each payload back, until it is told to stop or `go_on` fails.
pub(crate) fn serve(
    memory: &Memory,
    waiting: Waiting,
    bytes: usize,
    mut go_on: impl FnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut payload = vec![0; bytes.min(MAX_BYTES)];
    let mut last = 0;
    loop {
        last = waiting.for_change(memory.word(Slot::Request), last, &mut go_on)?;
        if last == STOP {
            return Ok(());
        }
        memory.read(Slot::Request, &mut payload);
        memory.write(Slot::Reply, &payload);
        waiting.publish(memory.word(Slot::Reply), last)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_back_by_either_way_of_waiting() {
        for waiting in [Waiting::Futex, Waiting::Spin] {
            let (memory, _file) = Memory::new().unwrap();
            let mut client = Client::new(&memory, waiting, 1000);
            std::thread::scope(|scope| {
                let server = scope.spawn(|| serve(&memory, waiting, 1000, || Ok(())));
                for _ in 0..3 {
                    client.payloads.1.fill(0);
                    client.call().unwrap();
                    assert_eq!(client.payloads.0, client.payloads.1);
                }
                client.stop().unwrap();
                server.join().unwrap().unwrap();
            });
        }
    }

    #[test]
    fn a_server_without_a_client_asks_whether_to_go_on() {
        let (memory, _file) = Memory::new().unwrap();
        let _client = Client::new(&memory, Waiting::Spin, 0);
        let ended = serve(&memory, Waiting::Spin, 0, || Err(Error::Stalled { seconds: 0 }));
        assert!(matches!(ended, Err(Error::Stalled { .. })));
    }
}
