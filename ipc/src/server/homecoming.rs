//! Capabilities that come home by way of somebody who did not know that they do.
//!
//! A client that knows its channel to us sends them as rows. Others bring a portal, which is settled as soon as we have taken
//! it up ([`issued`](crate::pd::issued)). Its opening was sent before the request that brings it, and so is here: it is
//! taken up before the handler runs, which then recognises its own object.

use super::Server;
use crate::message::MsgBuf;
use std::time::Duration;

/// Whoever brings a portal may have had it as one that was not taken up either, and so on: so many times. One that went
/// further comes home a little later.
const MOST_ROUNDS: usize = 8;

impl Server {
    /// Takes up the portals of the request that are said to lead here, if their openings have come.
    #[cold]
    pub(super) fn welcome(&mut self, request: &MsgBuf) {
        let id = self.home.id();
        // All of them are looked at: what has come by now is read.
        let expected = || request.held().filter(|held| held.is_expected_at(id)).count();
        for _ in 0..MOST_ROUNDS {
            let before = self.admitted;
            if expected() == 0 {
                return;
            }
            self.hear_all();
            if self.admitted == before {
                return;
            }
        }
        expected();
    }

    /// Reads the sockets of all who say that there is something on them.
    fn hear_all(&mut self) {
        self.ask_who_rings(Some(Duration::ZERO));
        for name in self.hot.clone() {
            let Some(port) = self.ports.get_mut(name) else { continue };
            match port.take_pending(&mut self.ledger) {
                Ok(false) => {}
                Ok(true) => self.read_socket(name),
                Err(error) => self.close(name, &error),
            }
        }
    }
}
