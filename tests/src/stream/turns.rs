//! A sink whose handler takes turns: in each as many packets as there are when it begins, whatever the source does meanwhile.

use super::Number;
use portcullis_ipc::Capability;
use portcullis_packet_stream::{Error, Received, Sink};

/// The sink, and what its handler has done.
#[derive(Debug)]
pub struct Turns {
    sink: Sink<Number>,
    /// Runs the handler once more.
    again: Capability,
    held: Option<Received<Number>>,
    /// How many packets it has taken.
    pub packets: u64,
    /// How many of them in the longest of its turns.
    pub most: u64,
    /// Why it takes none any more.
    pub ended: Option<Error>,
}

impl Turns {
    /// A handler that has not run yet; by that context it runs again.
    #[must_use]
    pub fn new(sink: Sink<Number>, again: Capability) -> Turns {
        Turns { sink, again, held: None, packets: 0, most: 0, ended: None }
    }

    /// The handler.
    pub fn run(&mut self) {
        let before = self.packets;
        let went = self.turn();
        self.most = self.most.max(self.packets - before);
        match went {
            Ok(true) => self.again.submit(),
            Ok(false) => {}
            Err(error) => self.ended = Some(error),
        }
    }

    /// Answers whether there is more to do already.
    fn turn(&mut self) -> Result<bool, Error> {
        // What was there when the turn began, and no more: the source may go on for ever.
        let mut left = self.sink.pending()?;
        while left != 0 || self.held.is_some() {
            let next = self.held.take().map_or_else(|| self.sink.try_get(), |held| Ok(Some(held)));
            let Some(received) = next? else { break };
            left = left.saturating_sub(1);
            let number = received.control();
            if let Err(full) = self.sink.try_acknowledge(received, number) {
                self.held = Some(full.packet);
                // The source signals when it has taken some.
                self.sink.wakeup()?;
                return Ok(false);
            }
            self.packets += 1;
        }
        self.sink.wakeup()?;
        Ok(self.sink.pending()? != 0)
    }
}
