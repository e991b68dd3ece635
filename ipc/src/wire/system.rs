//! What an entrypoint does for a client beside its objects: calls of [`RowName::SYSTEM`](super::head::RowName::SYSTEM).
//!
//! ```text
//! fold    opcode 0   data: token u64      answers with a row of what the portal with that token was opened for
//! name    opcode 1   data: row name u64   answers with two words that are the same for the same object, whatever the channel
//! ```

use super::control::Token;
use super::head::RowName;

/// A call of the entrypoint itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SystemCall {
    Fold(Token),
    Name(RowName),
}

impl SystemCall {
    /// Its opcode and data.
    pub(crate) fn encode(self) -> (u32, [u8; 8]) {
        match self {
            SystemCall::Fold(token) => (0, token.0.to_le_bytes()),
            SystemCall::Name(row) => (1, row.encode().to_le_bytes()),
        }
    }

    /// What a request asks for, if there is such a thing.
    pub(crate) fn decode(opcode: u32, data: &[u8]) -> Option<SystemCall> {
        let word = u64::from_le_bytes(data.try_into().ok()?);
        match opcode {
            0 => Some(SystemCall::Fold(Token(word))),
            1 => Some(SystemCall::Name(RowName::decode(word))),
            _ => None,
        }
    }
}
