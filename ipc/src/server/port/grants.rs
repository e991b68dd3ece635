//! What the client of a port is granted, and what it gives back.

use super::Port;
use crate::badge::Badge;
use crate::error::Error;
use crate::protocol::release_ring::{Release, Ring};
use crate::server::ledger::Ledger;
use crate::transport::socket::SocketTransport;
use crate::wire::head::RowName;
use crate::wire::layout;

/// Whether a release refers to messages beyond so many. Counts go round; what lies less than half way ahead is still to come.
fn is_ahead(release: Release, received: u16) -> bool {
    matches!(release.sent.wrapping_sub(received), 1..=0x7fff)
}

impl Port {
    /// Grants an object to the client. What it gave back to make room for that may lie in its ring, where it was not announced.
    pub(crate) fn grant(&mut self, badge: Badge, ledger: &mut Ledger) -> Result<RowName, Error> {
        let granted = match ledger.grant(badge, self.name, &mut self.rows) {
            Err(Error::BudgetExceeded) => {
                self.take_releases(ledger)?;
                ledger.grant(badge, self.name, &mut self.rows)
            }
            granted => granted,
        };
        let (row, counted) = granted?;
        self.gather(counted);
        Ok(row)
    }

    /// Takes back what the client released: at most one ring full, so that it cannot keep us here. Answers whether
    /// the socket must be read first: a release must not overtake what was sent before it.
    pub(crate) fn take_releases(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(words) = self.words.clone() else { return Ok(false) };
        let ring = Ring {
            head: &words[layout::RELEASE_HEAD],
            tail: &words[layout::RELEASE_TAIL],
            entries: &words[layout::RELEASE_ENTRIES..][..layout::RELEASE_CAPACITY],
        };
        let received = self.socket().map_or(0, SocketTransport::received);
        for _ in 0..layout::RELEASE_CAPACITY {
            let release = match self.held.take() {
                Some(held) => held,
                None => match ring.pop(&mut self.release_tail)? {
                    Some(release) => release,
                    None => return Ok(false),
                },
            };
            if is_ahead(release, received) {
                self.held = Some(release);
                return Ok(true);
            }
            let row = self
                .rows
                .name_at(release.row)
                .ok_or(Error::Violation("a release of a row that was not granted"))?;
            self.take_signal_of(release.row, ledger);
            ledger.release(self.name, &mut self.rows, row, release.grants.into())?;
        }
        Ok(false)
    }

    /// After the socket was read to its end: what had to wait for that. Answers whether there is something again that does: a release
    /// that has come meanwhile, as has what was sent before it.
    pub(crate) fn resume_releases(&mut self, ledger: &mut Ledger) -> Result<bool, Error> {
        let Some(held) = self.held else { return Ok(false) };
        let received = self.socket().map_or(0, SocketTransport::received);
        // It was here before the socket was read, and what it refers to was sent before it came.
        if is_ahead(held, received) {
            return Err(Error::Violation("a release refers to messages that were never sent"));
        }
        self.take_releases(ledger)
    }
}
