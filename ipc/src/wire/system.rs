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

/// What an entrypoint calls an object: the same for the same object, whatever the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) entrypoint: u64,
    pub(crate) object: u64,
}

impl ObjectName {
    pub(crate) fn encode(self) -> [u8; 16] {
        (u128::from(self.object) << 64 | u128::from(self.entrypoint)).to_le_bytes()
    }

    /// Out of the data of an answer.
    pub(crate) fn decode(data: &[u8]) -> Option<ObjectName> {
        let ([entrypoint, object], []) = data.as_chunks::<8>() else { return None };
        Some(ObjectName { entrypoint: u64::from_le_bytes(*entrypoint), object: u64::from_le_bytes(*object) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for call in [SystemCall::Fold(Token(7)), SystemCall::Name(RowName::new(1, 2))] {
            let (opcode, data) = call.encode();
            assert_eq!(SystemCall::decode(opcode, &data), Some(call));
            assert_eq!(SystemCall::decode(opcode, &data[1..]), None);
            assert_eq!(SystemCall::decode(opcode + 2, &data), None);
        }
        let name = ObjectName { entrypoint: 0x0123_4567_89ab_cdef, object: 0xfedc_ba98_7654_3210 };
        assert_eq!(ObjectName::decode(&name.encode()), Some(name));
        assert_eq!(ObjectName::decode(&name.encode()[1..]), None);
    }
}
