//! The objects of a component: each counts its calls.

use crate::error::Error;
use portcullis_ipc::{Badge, Capability, Server};
use std::collections::VecDeque;

/// Objects that are dropped by their client at once live on for so many others: by then the client has given back
/// its capability, and to dissolve the object costs what it costs a server that is told so.
const SHORT_LIVES: usize = 256;

/// Counters by the slot of their badge, as an object pool has its objects.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    counters: Vec<u64>,
    short_lived: VecDeque<Badge>,
}

impl Objects {
    /// An object that lives as long as the component.
    pub(crate) fn lasting(&mut self, server: &mut Server) -> Result<Capability, Error> {
        let (badge, capability) = server.mint()?;
        if self.counters.len() <= badge.slot() {
            self.counters.resize(badge.slot() + 1, 0);
        }
        self.counters[badge.slot()] = 0;
        Ok(capability)
    }

    /// An object whose client drops it at once.
    pub(crate) fn short_lived(&mut self, server: &mut Server) -> Result<Capability, Error> {
        let (badge, capability) = server.mint()?;
        self.short_lived.push_back(badge);
        if self.short_lived.len() > SHORT_LIVES
            && let Some(oldest) = self.short_lived.pop_front()
        {
            server.dissolve(oldest);
        }
        Ok(capability)
    }

    /// A call of an object.
    #[inline]
    pub(crate) fn count(&mut self, badge: Badge) {
        if let Some(counter) = self.counters.get_mut(badge.slot()) {
            *counter += 1;
        }
    }
}
