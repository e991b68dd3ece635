//! Objects whose client drops them at once.

use crate::error::Error;
use portcullis_ipc::{Badge, Capability, Server};
use std::collections::VecDeque;

/// Each lives on for so many others: by then its client has given back the capability, and to dissolve it costs what
/// it costs a server that was told so.
const LIVES: usize = 256;

/// The objects that were made last.
#[derive(Debug, Default)]
pub(crate) struct ShortLived(VecDeque<Badge>);

impl ShortLived {
    /// Makes an object, and dissolves the oldest.
    pub(crate) fn mint(&mut self, server: &mut Server) -> Result<Capability, Error> {
        let (badge, capability) = server.mint()?;
        self.0.push_back(badge);
        if self.0.len() > LIVES
            && let Some(oldest) = self.0.pop_front()
        {
            server.dissolve(oldest);
        }
        Ok(capability)
    }
}
