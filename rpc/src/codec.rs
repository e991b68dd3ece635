//! Values in messages: postcard for the bytes, slots for the capabilities.

use crate::bounded;
use crate::error::Error;
use crate::slots::{self, Slots};
use portcullis_ipc::MsgBuf;
use postcard::ser_flavors;
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

/// Why a message cannot be decoded: its bytes are no such value, too few or too many, or a capability slot is named
/// twice, or never; or its lists have more than 1,024 elements, which they can have only if these take no bytes, or
/// values are nested more than 64 deep. Which of these it is, is of no use to anybody but an attacker.
///
/// ```
/// use portcullis_rpc::codec::{Malformed, decode, encode};
///
/// let mut message = portcullis_ipc::MsgBuf::new();
/// encode(&(1_u8, 2_u8), &mut message)?;
/// assert_eq!(decode::<u8>(&mut message), Err(Malformed), "a byte is left over");
/// # Ok::<_, portcullis_rpc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, ThisError)]
#[error("the message does not hold such a value")]
pub struct Malformed;

/// Encodes a value into an empty message, in place.
///
/// # Errors
/// [`Error::MessageTooLarge`], [`Error::TooManyCapabilities`] or [`Error::Unencodable`]; the message is as it was.
#[inline]
pub fn encode<T: Serialize + ?Sized>(value: &T, into: &mut MsgBuf) -> Result<(), Error> {
    let mut slots = Slots::default();
    let encoded = into
        .fill(|room| slots::scoped(&mut slots, || postcard::to_slice(value, room).map(|used| used.len())));
    match encoded {
        Ok(()) => Ok(slots.put_into(into)?),
        Err(error) => Err(explain(value, &slots, &error)),
    }
}

/// Why a value could not be encoded.
#[cold]
fn explain<T: Serialize + ?Sized>(value: &T, slots: &Slots, error: &postcard::Error) -> Error {
    match error {
        _ if slots.overflown() => Error::TooManyCapabilities,
        postcard::Error::SerializeBufferFull => {
            let mut slots = Slots::default();
            let size = || postcard::serialize_with_flavor(value, ser_flavors::Size::default());
            match slots::scoped(&mut slots, size) {
                Ok(length) => Error::MessageTooLarge { length },
                Err(_) if slots.overflown() => Error::TooManyCapabilities,
                Err(_) => Error::Unencodable,
            }
        }
        _ => Error::Unencodable,
    }
}

/// Decodes the value that fills a message, and takes its capabilities out; `&str` and `&[u8]` are borrowed from the
/// message.
///
/// # Errors
/// [`Malformed`] if it is not exactly such a value. Capabilities of the message are dropped then.
#[inline]
pub fn decode<'m, T: Deserialize<'m>>(from: &'m mut MsgBuf) -> Result<T, Malformed> {
    let mut slots = Slots::default();
    if from.capabilities() != 0 {
        slots = Slots::taken_from(from);
    }
    let mut deserializer = postcard::Deserializer::from_bytes(from.data());
    let decoded = slots::scoped(&mut slots, || bounded::deserialize(&mut deserializer));
    match (decoded, deserializer.finalize()) {
        (Ok(value), Ok([])) if !slots.any_left() => Ok(value),
        _ => Err(Malformed),
    }
}
